// The filters of the list of runs, by verdict and by name, and its order.
import { select } from "../actions";
import type { RunEntry } from "../lib/api";
import { newestLaunch } from "../lib/defaults";
import { cleanName } from "../lib/format";
import type { NameFilter } from "../lib/name-filter";
import { RUN_ORDERS, type RunOrder } from "../lib/run-order";
import { useSelector } from "../state";
import { NameFilterBox } from "./name-filter";

const MIN_RUNS_TO_SEARCH = 4;

export function headlineOf(run: RunEntry): string | undefined {
  return newestLaunch(run)?.headline;
}

/** The headlines of all runs, each once. */
export function headlinesOf(runs: readonly RunEntry[]): string[] {
  return [...new Set(runs.flatMap((run) => headlineOf(run) ?? []))].sort();
}

function RunSort() {
  const sort = useSelector((s) => s.shown.sort);
  return (
    <select
      class="field"
      aria-label="Sort runs"
      value={sort}
      onChange={(event) => select({ sort: event.currentTarget.value as RunOrder })}
    >
      {Object.entries(RUN_ORDERS).map(([order, text]) => (
        <option key={order} value={order}>
          {text}
        </option>
      ))}
    </select>
  );
}

function VerdictFilter({ runs, headline }: { runs: RunEntry[]; headline: string }) {
  const headlines = headlinesOf(runs);
  if (headlines.length < 2) return null;
  return (
    <select
      class="field"
      aria-label="Filter runs by verdict"
      value={headline}
      onChange={(event) => select({ verdict: event.currentTarget.value })}
    >
      <option value="">all verdicts</option>
      {headlines.map((h) => (
        <option key={h} value={h}>
          {cleanName(h)} ({runs.filter((run) => headlineOf(run) === h).length})
        </option>
      ))}
    </select>
  );
}

interface Props {
  runs: RunEntry[];
  headline: string; // "": all
  filter: NameFilter;
  visible: number; // runs that match both filters
}

export function RunFilters({ runs, headline, filter, visible }: Props) {
  const text = useSelector((s) => s.shown.runFilter);
  return (
    <div class="run-filters">
      {runs.length > 1 && (
        <div class="run-filters-choices">
          <RunSort />
          <VerdictFilter runs={runs} headline={headline} />
        </div>
      )}
      {(runs.length >= MIN_RUNS_TO_SEARCH || text !== "") && (
        <NameFilterBox
          label="Filter runs"
          text={text}
          filter={filter}
          matching={`${visible} of ${runs.length}`}
          onText={(typed) => select({ runFilter: typed }, "typing")}
        />
      )}
    </div>
  );
}
