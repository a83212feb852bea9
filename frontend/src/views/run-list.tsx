// The runs, in an order and with filters that the user chooses.
import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { setListedRuns, showRun, toggleCompared } from "../actions";
import type { LaunchEntry, RunEntry } from "../lib/api";
import { newestLaunch } from "../lib/defaults";
import { cleanName } from "../lib/format";
import { sortRuns } from "../lib/run-order";
import { comparedRuns } from "../lib/selection";
import { shortNames } from "../lib/short-names";
import { useSelector } from "../state";
import { moveFocus } from "./move-focus";
import { useNameFilter } from "./name-filter";
import { RunEntryButton } from "./run-entry";
import { headlineOf, headlinesOf, RunFilters } from "./run-filters";
import { RunLaunches } from "./run-launches";
import { RunTableButton } from "./run-table-button";

const LETTERS = 46; // of a name: about two lines
const NO_RUNS: RunEntry[] = [];

function CompareButton({ run }: { run: RunEntry }) {
  const shown = useSelector((s) => s.shown);
  const pressed = comparedRuns(shown).includes(run.run);
  return (
    <button
      type="button"
      class="small-button run-compare"
      aria-pressed={pressed}
      aria-label={`Compare with ${cleanName(run.label)}`}
      onClick={() => toggleCompared(run.run)}
    >
      {pressed ? "✓" : "compare"}
    </button>
  );
}

interface ItemProps {
  run: RunEntry;
  title: string; // its name, shortened
  alone: boolean;
}

function Item({ run, title, alone }: ItemProps) {
  const isShown = useSelector((s) => s.shown.run === run.run);
  const isTable = useSelector((s) => s.selection.view !== "");
  const chosen = isShown && !isTable;
  const comparable = !isShown && !alone; // no run is compared with itself, also while the table is shown
  return (
    <li class={comparable ? "run-list-item comparable" : "run-list-item"}>
      <RunEntryButton
        launch={newestLaunch(run) as LaunchEntry}
        title={title}
        name={cleanName(run.label)}
        chosen={chosen}
        onChoose={() => showRun(run.run)}
      />
      {comparable && <CompareButton run={run} />}
      {chosen && run.launches.length > 1 && <RunLaunches run={run} />}
    </li>
  );
}

/** Scrolls the list, never the page, to the chosen run when it changes, also by the address. */
function useChosenInView(nav: RefObject<HTMLElement | null>, count: number): void {
  const { run, sort } = useSelector((s) => s.shown);
  useLayoutEffect(() => {
    const entry = nav.current?.querySelector("[aria-current]");
    if (!nav.current || !entry) return;
    const [list, item] = [nav.current.getBoundingClientRect(), entry.getBoundingClientRect()];
    if (item.top < list.top || item.bottom > list.bottom)
      nav.current.scrollTop += item.top - list.top - list.height / 3;
  }, [run, sort, count]);
}

/** The runs in the chosen order, with shortened names, and those of them that match the filters. */
function useRuns() {
  const runs = useSelector((s) => s.runs?.runs ?? NO_RUNS);
  const { sort, runFilter, verdict } = useSelector((s) => s.shown);
  const filter = useNameFilter(runFilter);
  const items = useMemo(() => {
    const sorted = sortRuns(runs.filter(newestLaunch), sort);
    const titles = shortNames(
      sorted.map((run) => cleanName(run.label)),
      LETTERS,
    );
    return sorted.map((run, i) => ({ run, title: titles[i] as string }));
  }, [runs, sort]);
  const headline = headlinesOf(runs).includes(verdict) ? verdict : "";
  const visible = useMemo(() => {
    const isListed = (run: RunEntry) => headline === "" || headlineOf(run) === headline;
    return items.filter(({ run }) => isListed(run) && filter.matches(cleanName(run.label)));
  }, [items, filter, headline]);
  return { runs, visible, headline, filter };
}

export function RunList() {
  const { runs, visible, headline, filter } = useRuns();
  const nav = useRef<HTMLElement>(null);
  useChosenInView(nav, runs.length);
  const listed = visible.map(({ run }) => run.run);
  useEffect(() => setListedRuns(listed), [listed.join("\n")]);
  return (
    <nav
      class="run-list"
      aria-label="Runs"
      ref={nav}
      onKeyDown={(event) => moveFocus(event, "button.run-entry")}
    >
      <div class="run-list-head">
        <h2 class="run-list-title">
          Runs{" "}
          <span class="run-list-count">
            {visible.length === runs.length ? runs.length : `${visible.length} of ${runs.length}`}
          </span>
        </h2>
        <RunTableButton />
      </div>
      <RunFilters runs={runs} headline={headline} filter={filter} visible={visible.length} />
      <ul>
        {visible.map(({ run, title }) => (
          <Item key={run.run} run={run} title={title} alone={runs.length === 1} />
        ))}
      </ul>
      {visible.length === 0 && runs.length > 0 && <p class="quiet run-list-empty">No matching runs</p>}
    </nav>
  );
}
