// All runs in one table, the worst first, and above it the settings that go with each answer.
import { useMemo } from "preact/hooks";
import { select, showRun } from "../actions";
import type { RunTableAnswer, RunTableRow, SettingColumn } from "../lib/api-table";
import { formatCount, plural } from "../lib/format";
import { runsTable, sortedRows, sortOf, viewOf, WORST_FIRST } from "../lib/run-table";
import { answerGroups } from "../lib/setting-patterns";
import { useSelector } from "../state";
import { ExportButtons } from "./export-buttons";
import { LinkTable } from "./link-table";
import { RunGroups } from "./run-groups";
import { PAGE_TITLE } from "./use-focus";

const MOST_LEADING = 2; // columns of settings beside the answer

/** The rows with the values of these columns of settings only. */
function withColumns(rows: readonly RunTableRow[], columns: readonly number[]): RunTableRow[] {
  return rows.map((row) => ({
    ...row,
    settings: row.links.length > 0 ? columns.map((i) => row.settings[i] ?? null) : [],
  }));
}

/** The settings that go with the answers of these runs stand beside the answer; those that are alike have no column. */
function tableOf(answer: RunTableAnswer, all: readonly RunTableRow[]) {
  const isVarying = (i: number) => new Set(all.flatMap(({ settings }) => settings[i] ?? [])).size > 1;
  const varying = answer.settings.map((_, i) => i).filter(isVarying);
  const settings = varying.map((i) => answer.settings[i] as SettingColumn);
  const rows = sortedRows(withColumns(all, varying), WORST_FIRST, settings);
  const groups = answerGroups(
    rows.filter(({ links }) => links.length > 0),
    settings,
  );
  const named = new Set(groups.flatMap(({ patterns }) => patterns.map(({ setting }) => setting)));
  const order = [...settings.keys()].sort(
    (a, b) =>
      Number(named.has(settings[b] as SettingColumn)) - Number(named.has(settings[a] as SettingColumn)),
  );
  return {
    groups,
    rows: withColumns(rows, order),
    settings: order.map((i) => settings[i] as SettingColumn),
    leading: Math.min(MOST_LEADING, named.size),
  };
}

/** The table of the runs that the filters of the run list leave. */
function useTable(answer: RunTableAnswer | undefined) {
  const listed = useSelector((s) => s.listedRuns);
  return useMemo(() => {
    if (!answer) return null;
    const names = listed && new Set(listed);
    return tableOf(
      answer,
      answer.rows.filter(({ run }) => !names || names.has(run)),
    );
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
  const { settings, rows, groups, leading } = table;
  const sort = sortOf(view);
  const csv = () => runsTable(sortedRows(rows, sort, settings), settings);
  return (
    <section class="panel-section run-table" aria-labelledby="run-table-title">
      <div class="section-head">
        <h1 id="run-table-title" class={`section-grow ${PAGE_TITLE}`} tabIndex={-1}>
          {rows.length === answer.rows.length ? "All" : `${formatCount(rows.length)} of`}{" "}
          {plural(answer.rows.length, "run")}
        </h1>
        <ExportButtons run="" name="runs" table={csv} />
        <button type="button" class="small-button" onClick={() => select({ view: "" })}>
          Back to the run
        </button>
      </div>
      <Progress answer={answer} />
      <RunGroups groups={groups} settings={settings} />
      {answer.settings_left_out > 0 && (
        <p class="quiet run-table-left-out">
          {plural(answer.settings_left_out, "more setting")}{" "}
          {answer.settings_left_out === 1 ? "differs and has" : "differ and have"} no column.
        </p>
      )}
      <LinkTable
        caption="Runs and links"
        rows={rows}
        settings={settings}
        leading={leading}
        withLoss
        sort={sort}
        onSort={(sort) => select({ view: viewOf(sort) })}
        onOpen={(run) => showRun(run)}
      />
    </section>
  );
}
