// Two or more runs side by side: their diagnoses, where they first differ, and the settings that differ.
import { select, toggleCompared } from "../actions";
import { comparedToken, DASHES } from "../draw/ink";
import type { OverviewAnswer, PairAnswer } from "../lib/api";
import { cleanName, cleanText, prose, runLabel } from "../lib/format";
import { type ComparedRun, useSelector } from "../state";
import { ExportButtons } from "./export-buttons";
import { lookOfOverview, StatusLine } from "./status-line";
import { useComparedRuns } from "./use-axis";

/** The line that the curves of a run are drawn with. `index`: null for the chosen run. */
function CurveSample({ index }: { index: number | null }) {
  const token = index === null ? "curve" : comparedToken(index);
  const dash = index === null ? [] : (DASHES[index % DASHES.length] ?? []);
  return (
    <svg width="30" height="8" aria-hidden="true">
      <path
        d="M1 4h28"
        style={{ stroke: `var(--${token})` }}
        stroke-width="2.5"
        stroke-dasharray={dash.join(" ")}
        fill="none"
      />
    </svg>
  );
}

interface CardProps {
  overview: OverviewAnswer;
  label: string;
  index: number | null; // of a compared run
}

function Card({ overview, label, index }: CardProps) {
  return (
    <article class={`comparison-card ${lookOfOverview(overview)}`}>
      <h3>
        <CurveSample index={index} /> {label}
      </h3>
      <StatusLine overview={overview}>
        <span class="quiet">{cleanName(overview.state_text)}</span>
      </StatusLine>
      <p class="comparison-sentence">{prose(overview.sentence)}</p>
      {index !== null && (
        <p>
          <button
            type="button"
            class="text-button"
            onClick={() => select({ run: overview.run, launch: "", compare: [] })}
          >
            Open this run
          </button>
          <button type="button" class="text-button" onClick={() => toggleCompared(overview.run)}>
            Remove
          </button>
        </p>
      )}
    </article>
  );
}

interface PairsProps {
  title: string;
  pairs: PairAnswer[];
  names: readonly [string, string];
}

function Pairs({ title, pairs, names }: PairsProps) {
  if (pairs.length === 0) return null;
  const table = () => [["", ...names], ...pairs.map((p) => [p.label, p.one, p.other])];
  return (
    <div class="comparison-pairs">
      <table>
        <caption>
          {title} <ExportButtons name={title} table={table} />
        </caption>
        <thead>
          <tr>
            <td />
            {names.map((name) => (
              <th scope="col" key={name}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {pairs.map((p) => (
            <tr key={p.label}>
              <th scope="row">{cleanName(p.label)}</th>
              <td>{cleanText(p.one) || "–"}</td>
              <td>{cleanText(p.other) || "–"}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface DifferencesProps {
  compared: ComparedRun;
  names: readonly [chosen: string, compared: string];
  named: boolean; // whether the text must say which run is compared
}

function Differences({ compared, names, named }: DifferencesProps) {
  const { text, conclusion, settings, numbers, first_step } = compared.compare;
  return (
    <div class="comparison-differences">
      <p>
        <strong>
          {named && `${names[1]}: `}
          {prose(text)}
        </strong>
      </p>
      <p>{prose(conclusion)}</p>
      <Pairs title="Settings that differ" pairs={settings} names={names} />
      <Pairs title={`Numbers that differ at step ${first_step ?? ""}`} pairs={numbers} names={names} />
    </div>
  );
}

export function RunComparison({ overview }: { overview: OverviewAnswer }) {
  const runs = useSelector((s) => s.runs?.runs);
  const compared = useComparedRuns();
  const chosenLabel = runLabel(runs, overview.run);
  return (
    <section class="panel-section comparison" aria-labelledby="comparison-title">
      <div class="section-head">
        <h2 id="comparison-title" class="section-grow">
          Side by side
        </h2>
        <button type="button" class="small-button" onClick={() => select({ compare: [] })}>
          Stop comparing
        </button>
      </div>
      <div class="comparison-cards">
        <Card overview={overview} label={chosenLabel} index={null} />
        {compared.map((c, i) => (
          <Card key={c.run} overview={c.overview} label={runLabel(runs, c.run)} index={i} />
        ))}
      </div>
      {compared.map((c) => (
        <Differences
          key={c.run}
          compared={c}
          names={[chosenLabel, runLabel(runs, c.run)]}
          named={compared.length > 1}
        />
      ))}
    </section>
  );
}
