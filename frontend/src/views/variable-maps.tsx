// What is recorded of a variable now and then: histograms over time, and motion maps of one step at a time.
import { useState } from "preact/hooks";
import type { MapsAnswer } from "../lib/api";
import { cleanName, formatCount, plural } from "../lib/format";
import { Motion } from "./motion-map";
import { Histogram } from "./ridge-histogram";
import { useWidth } from "./use-width";

export function Pictures({ answer, dark }: { answer: MapsAnswer; dark: boolean }) {
  const { ref, width } = useWidth<HTMLDivElement>();
  const [chosen, setChosen] = useState<number | null>(null);
  const { histograms, motion } = answer;
  if (histograms.length + motion.length === 0) return null;
  const frames = motion[0]?.frames ?? [];
  const at = Math.min(chosen ?? frames.length - 1, frames.length - 1);
  return (
    <section class="pictures" aria-labelledby="pictures-title">
      <h2 id="pictures-title">
        Inside <span class="variable-name">{cleanName(answer.name)}</span>
      </h2>
      {answer.left_out > 0 && (
        <p class="quiet">
          {plural(answer.left_out, "earlier recording")} not shown: too many to read at once.
        </p>
      )}
      <div ref={ref}>
        {frames.length > 1 && (
          <label class="frames">
            <span>Step {formatCount(frames[at]?.step ?? 0)}</span>
            <input
              type="range"
              min={0}
              max={frames.length - 1}
              value={at}
              aria-label="Step of the motion maps"
              aria-valuetext={`step ${formatCount(frames[at]?.step ?? 0)}`}
              onInput={(event) => setChosen(Number(event.currentTarget.value))}
            />
          </label>
        )}
        {width > 0 && (
          <div class="figures">
            {motion.map((m) => (
              <Motion
                key={m.kind}
                motion={m}
                at={at}
                dark={dark}
                room={Math.min(420, motion.length > 1 && width > 720 ? (width - 40) / 2 : width - 4)}
              />
            ))}
          </div>
        )}
        <div class="figures histograms">
          {histograms.map((h) => (
            <Histogram key={h.kind} h={h} />
          ))}
        </div>
      </div>
    </section>
  );
}
