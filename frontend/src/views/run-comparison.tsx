// Two or more runs side by side: their diagnoses, where they first differ, and the settings that differ.
import { useState } from "preact/hooks";
import { select } from "../actions";
import type { OverviewAnswer, PairAnswer } from "../lib/api";
import { mergedSettings } from "../lib/compared-settings";
import { prose, runLabel } from "../lib/format";
import type { Sort } from "../lib/run-table";
import { type ComparedRun, useSelector } from "../state";
import { type ComparedRow, ComparedValues } from "./compared-values";
import { ComparisonCard, CurveSample } from "./comparison-card";
import { LinkTable } from "./link-table";
import { useComparedRuns } from "./use-axis";

const rowsOf = (pairs: PairAnswer[]): ComparedRow[] =>
  pairs.map(({ label, one, other }) => ({ label, values: [one, other] }));

interface DifferencesProps {
  compared: ComparedRun;
  names: readonly [chosen: string, compared: string];
  named: boolean; // several runs are compared: the text must say which, and their settings are in one table
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
      {!named && <ComparedValues title="Settings that differ" rows={rowsOf(settings)} names={names} />}
      <ComparedValues
        title={`Numbers that differ at step ${first_step ?? ""}`}
        rows={rowsOf(numbers)}
        names={names}
      />
    </div>
  );
}

/** The answers and links of the runs, in a table with a row for each. */
function Links({ overviews }: { overviews: readonly OverviewAnswer[] }) {
  const runs = useSelector((s) => s.runs?.runs);
  const [sort, setSort] = useState<Sort>({ key: "", descending: false });
  const rows = overviews.flatMap((overview) => {
    const run = runs?.find(({ run }) => run === overview.run);
    const entry = run?.launches.find(({ launch }) => launch === overview.launch);
    return run && entry
      ? [{ ...entry, run: run.run, label: run.label, links: overview.chain, loss: null, settings: [] }]
      : [];
  });
  const lead = (run: string) => {
    const at = overviews.findIndex((overview) => overview.run === run);
    return <CurveSample index={at === 0 ? null : at - 1} />;
  };
  return <LinkTable caption="Links of the compared runs" {...{ rows, sort, lead }} onSort={setSort} />;
}

export function RunComparison({ overview }: { overview: OverviewAnswer }) {
  const runs = useSelector((s) => s.runs?.runs);
  const compared = useComparedRuns();
  const overviews = [overview, ...compared.map((c) => c.overview)];
  const names = overviews.map(({ run }) => runLabel(runs, run));
  const several = compared.length > 1;
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
      <Links overviews={overviews} />
      <div class="comparison-cards">
        {overviews.map((shown, i) => (
          <ComparisonCard
            key={shown.run}
            overview={shown}
            label={names[i] ?? ""}
            index={i === 0 ? null : i - 1}
          />
        ))}
      </div>
      {several && (
        <ComparedValues
          title="Settings that differ"
          names={names}
          rows={mergedSettings(compared.map((c) => c.compare.settings))}
        />
      )}
      {compared.map((c, i) => (
        <Differences key={c.run} compared={c} names={[names[0] ?? "", names[i + 1] ?? ""]} named={several} />
      ))}
    </section>
  );
}
