// All runs in one table, the worst first, and above it the settings that go with each answer.
import { useMemo } from "preact/hooks";
import { select } from "../actions";
import type { RunTableAnswer, RunTableRow } from "../lib/api-table";
import { formatCount, plural } from "../lib/format";
import { runsTable, sortedRows, sortOf, viewOf, WORST_FIRST } from "../lib/run-table";
import { answerGroups } from "../lib/setting-patterns";
import { useSelector } from "../state";
import { ExportButtons } from "./export-buttons";
import { LinkTable } from "./link-table";
import { RunGroups } from "./run-groups";

/** The columns whose values differ between the rows, and the rows with the values of these columns only. */
function withVaryingSettings({ settings }: RunTableAnswer, rows: RunTableRow[]) {
  const varying = settings
    .map((_, i) => i)
    .filter((i) => new Set(rows.map((row) => row.settings[i] ?? null)).size > 1);
  return {
    settings: settings.filter((_, i) => varying.includes(i)),
    rows: rows.map((row) => ({
      ...row,
      settings: row.links.length > 0 ? varying.map((i) => row.settings[i] ?? null) : [],
    })),
  };
}

/** The rows of the runs that the filters of the run list leave. */
function useTable(answer: RunTableAnswer | undefined) {
  const listed = useSelector((s) => s.listedRuns);
  return useMemo(() => {
    if (!answer) return null;
    const names = listed && new Set(listed);
    const { settings, rows } = withVaryingSettings(
      answer,
      answer.rows.filter(({ run }) => !names || names.has(run)),
    );
    const read = sortedRows(rows, WORST_FIRST, settings).filter(({ links }) => links.length > 0);
    return { settings, rows, groups: answerGroups(read, settings) };
  }, [answer, listed]);
}

function Progress({ answer }: { answer: RunTableAnswer }) {
  const unread = answer.rows.filter(({ links }) => links.length === 0).length;
  if (unread === 0) return null;
  return (
    <p class="quiet" role="status">
      {formatCount(answer.rows.length - unread)} of {plural(answer.rows.length, "run")} read so far …
    </p>
  );
}

export function RunTable() {
  const answer = useSelector((s) => s.runTable?.answer);
  const isLoading = useSelector((s) => s.pollError === "");
  const view = useSelector((s) => s.selection.view);
  const table = useTable(answer);
  if (!answer || !table) return <p class="page-empty">{isLoading && "Loading all runs …"}</p>;
  const { settings, rows, groups } = table;
  const sort = sortOf(view);
  const csv = () => runsTable(sortedRows(rows, sort, settings), settings);
  return (
    <section class="panel-section run-table" aria-labelledby="run-table-title">
      <div class="section-head">
        <h1 id="run-table-title" class="section-grow">
          {rows.length === answer.rows.length ? "All" : `${formatCount(rows.length)} of`}{" "}
          {plural(answer.rows.length, "run")}
        </h1>
        <ExportButtons name="runs" table={csv} />
        <button type="button" class="small-button" onClick={() => select({ view: "" })}>
          Back to the run
        </button>
      </div>
      <Progress answer={answer} />
      <RunGroups groups={groups} settings={settings} />
      {answer.settings_left_out > 0 && (
        <p class="quiet run-table-left-out">
          {plural(answer.settings_left_out, "more setting")} differ and have no column.
        </p>
      )}
      <LinkTable
        caption="Runs and links"
        rows={rows}
        settings={settings}
        withLoss
        sort={sort}
        onSort={(sort) => select({ view: viewOf(sort) })}
        onOpen={(run) => select({ run, launch: "", steps: null })}
      />
    </section>
  );
}
