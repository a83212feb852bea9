// One experiment: what it has shown, what that says of the causes that it tests, and what it cost.
import { useState } from "preact/hooks";
import { revealFinding } from "../actions";
import type { ExperimentAnswer, OverviewAnswer, TestedCauseAnswer } from "../lib/api";
import { cleanName, formatCount, formatNumber, plural, sameText } from "../lib/format";
import { findFinding } from "../lib/verdicts";
import { OutcomeMark } from "./outcome-mark";
import { RateCurve } from "./rate-curve";
import { Sentence } from "./sentence";
import { useScrollTarget } from "./use-scroll-target";

/** "12 steps, 0.4 s, at step 96"; "failed after 3 steps, 2 s, at step 96". */
function costOf({ end, steps, seconds, step }: ExperimentAnswer): string {
  const made = `${end === "completed" ? "" : `${end} after `}${plural(steps, "step")}`;
  const when = step > 0 ? `, at step ${formatCount(step)}` : ""; // 0 where nobody told the experiment
  return `${made}, ${formatNumber(Number(seconds.toPrecision(2)))} s${when}`;
}

interface Props {
  experiment: ExperimentAnswer;
  overview: OverviewAnswer;
}

/** The causes in groups of which the experiment says the same. */
function groupsOf(causes: readonly TestedCauseAnswer[]): TestedCauseAnswer[][] {
  const groups = new Map<string, TestedCauseAnswer[]>();
  for (const cause of causes) {
    const key = `${cause.outcome} ${cause.message}`;
    groups.set(key, [...(groups.get(key) ?? []), cause]);
  }
  return [...groups.values()];
}

/** The name of a cause. It leads to the finding, if the page shows it. */
function CauseName({
  cause: { name, code },
  overview,
}: {
  cause: TestedCauseAnswer;
  overview: OverviewAnswer;
}) {
  const isShown = findFinding(overview, code) !== null;
  return (
    <span class="experiment-cause">
      {isShown ? (
        <button type="button" class="text-button" onClick={() => revealFinding(code)}>
          {cleanName(name)}
        </button>
      ) : (
        cleanName(name)
      )}
      {code > 0 && <span class="rule-code"> {code}</span>}
    </span>
  );
}

function Causes({ experiment, overview }: Props) {
  return (
    <ul class="experiment-causes" aria-label="Tested causes">
      {groupsOf(experiment.causes).map((group) => {
        const { name, outcome, message } = group[0] as TestedCauseAnswer;
        return (
          <li key={name}>
            <OutcomeMark outcome={outcome} short />
            <div>
              {group.map((cause) => (
                <CauseName key={cause.name} cause={cause} overview={overview} />
              ))}
              {!sameText(message, experiment.message) && (
                <p class="quiet">
                  <Sentence text={message} />
                </p>
              )}
            </div>
          </li>
        );
      })}
    </ul>
  );
}

export function Experiment({ experiment, overview }: Props) {
  const [flashing, setFlashing] = useState(false);
  const ref = useScrollTarget<HTMLLIElement>(experiment, () => setFlashing(true));
  const { name, title, outcome, message, causes, curve } = experiment;
  return (
    <li
      ref={ref}
      class={flashing ? "experiment verdict-flashing" : "experiment"}
      onAnimationEnd={() => setFlashing(false)}
    >
      <div class="experiment-head">
        <h3>
          {cleanName(title)} <OutcomeMark outcome={outcome} short />
        </h3>
        <span class="experiment-cost quiet">{costOf(experiment)}</span>
      </div>
      <p class="experiment-message">
        <Sentence text={message} />
      </p>
      {causes.length > 0 && <Causes experiment={experiment} overview={overview} />}
      {curve && <RateCurve curve={curve} name={name} />}
    </li>
  );
}
