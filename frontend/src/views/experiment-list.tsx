// The experiments of the run and what they have shown. A healthy run may have them, too.
import type { ExperimentAnswer, OverviewAnswer } from "../lib/api";
import { cleanName, plural } from "../lib/format";
import { Experiment } from "./experiment";
import { Sentence } from "./sentence";

/** Why some experiments did not run, folded. */
function Skipped({ experiments }: { experiments: ExperimentAnswer[] }) {
  return (
    <details>
      <summary>{plural(experiments.length, "experiment")} skipped</summary>
      <ul class="check-rules">
        {experiments.map(({ name, title, message }) => (
          <li key={name}>
            <span>{cleanName(title)}</span>
            <span class="quiet">
              <Sentence text={message} />
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}

export function ExperimentList({ overview }: { overview: OverviewAnswer }) {
  const { experiments } = overview;
  if (experiments.length === 0) return null;
  const run = experiments.filter(({ end }) => end !== "skipped");
  const skipped = experiments.filter(({ end }) => end === "skipped");
  return (
    <section class="panel-section experiment-list" aria-labelledby="experiments-title">
      <h2 id="experiments-title">Experiments</h2>
      <p class="quiet">
        Experiments make a few steps from the state of the training, and put it back afterwards.
      </p>
      {run.length > 0 && (
        <ul class="experiment-items">
          {run.map((experiment) => (
            <Experiment key={experiment.name} experiment={experiment} overview={overview} />
          ))}
        </ul>
      )}
      {skipped.length > 0 && <Skipped experiments={skipped} />}
    </section>
  );
}
