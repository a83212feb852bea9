// The insides of the shown variable, recorded now and then: histograms over time, and motion maps of single steps.
import { useState } from "preact/hooks";
import type { FrameAnswer, MapsAnswer } from "../lib/api";
import { cleanName, formatCount, plural } from "../lib/format";
import { useSelector } from "../state";
import { MotionMap } from "./motion-map";
import { RidgeHistogram } from "./ridge-histogram";
import { useWidth } from "./use-width";

const [MAX_WIDTH, MIN_TWO_COLUMNS, GAP] = [420, 720, 40]; // CSS pixels

interface SliderProps {
  frames: FrameAnswer[];
  index: number;
  onIndex: (index: number) => void;
}

function StepSlider({ frames, index, onIndex }: SliderProps) {
  const step = formatCount(frames[index]?.step ?? 0);
  return (
    <label class="variable-maps-slider">
      <span>Step {step}</span>
      <input
        type="range"
        min={0}
        max={frames.length - 1}
        value={index}
        aria-label="Step of the motion maps"
        aria-valuetext={`step ${step}`}
        onInput={(event) => onIndex(Number(event.currentTarget.value))}
      />
    </label>
  );
}

/** The motion maps of one step. */
function MotionMaps({ name, motion }: Pick<MapsAnswer, "name" | "motion">) {
  const { ref, width } = useWidth<HTMLDivElement>();
  const [chosen, setChosen] = useState<number | null>(null); // null: the newest
  const frames = motion[0]?.frames ?? [];
  const index = Math.min(chosen ?? frames.length - 1, frames.length - 1);
  const twoColumns = motion.length > 1 && width > MIN_TWO_COLUMNS;
  const maxWidth = Math.min(MAX_WIDTH, twoColumns ? (width - GAP) / 2 : width - 4);
  return (
    <div ref={ref}>
      {frames.length > 1 && <StepSlider frames={frames} index={index} onIndex={setChosen} />}
      {width > 0 && (
        <div class="variable-maps-figures">
          {motion.map((m) => (
            <MotionMap key={m.kind} name={name} motion={m} index={index} maxWidth={maxWidth} />
          ))}
        </div>
      )}
    </div>
  );
}

function VariableMapsSection({ answer }: { answer: MapsAnswer }) {
  const { name, histograms, motion, left_out } = answer;
  if (histograms.length + motion.length === 0) return null;
  return (
    <section class="panel-section variable-maps" aria-labelledby="variable-maps-title">
      <h2 id="variable-maps-title">
        Inside <span class="variable-name">{cleanName(name)}</span>
      </h2>
      {left_out > 0 && (
        <p class="quiet">
          {plural(left_out, "earlier recording")} not shown: there are too many to load at once
        </p>
      )}
      <MotionMaps name={name} motion={motion} />
      <div class="variable-maps-figures variable-maps-histograms">
        {histograms.map((histogram) => (
          <RidgeHistogram key={histogram.kind} name={name} histogram={histogram} />
        ))}
      </div>
    </section>
  );
}

export function VariableMaps() {
  const answer = useSelector((s) => s.variableMaps?.answer);
  const shown = useSelector((s) => s.variableCurves?.answer.name);
  // They appear together with the curves of the same variable.
  return answer && answer.name === shown ? <VariableMapsSection key={answer.name} answer={answer} /> : null;
}
