// The runs, with filters by name and by verdict.
import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { select, setListedRuns, toggleCompared } from "../actions";
import type { LaunchEntry, RunEntry } from "../lib/api";
import { newestLaunch } from "../lib/defaults";
import { cleanName, ellipsis } from "../lib/format";
import { comparedRuns } from "../lib/selection";
import { useSelector } from "../state";
import { RunEntryButton } from "./run-entry";
import { RunLaunches } from "./run-launches";
import { RunTableButton } from "./run-table-button";

const [MAX_LETTERS, MIN_RUNS_TO_SEARCH] = [90, 4];
const NO_RUNS: RunEntry[] = [];

function headlineOf(run: RunEntry): string | undefined {
  return newestLaunch(run)?.headline;
}

/** The headlines of all runs, each once. */
function headlinesOf(runs: RunEntry[]): string[] {
  return [...new Set(runs.flatMap((run) => headlineOf(run) ?? []))].sort();
}

interface FilterProps {
  runs: RunEntry[];
  headline: string; // "": all
  onHeadline: (headline: string) => void;
  name: string;
  onName: (name: string) => void;
}

function Filters({ runs, headline, onHeadline, name, onName }: FilterProps) {
  const headlines = headlinesOf(runs);
  return (
    <>
      {headlines.length > 1 && (
        <select
          class="field run-list-filter"
          aria-label="Filter runs by verdict"
          value={headline}
          onChange={(event) => onHeadline(event.currentTarget.value)}
        >
          <option value="">all verdicts</option>
          {headlines.map((h) => (
            <option key={h} value={h}>
              {cleanName(h)} ({runs.filter((run) => headlineOf(run) === h).length})
            </option>
          ))}
        </select>
      )}
      {runs.length >= MIN_RUNS_TO_SEARCH && (
        <input
          class="run-list-search"
          type="search"
          placeholder="Filter runs"
          aria-label="Filter runs"
          value={name}
          onInput={(event) => onName(event.currentTarget.value)}
        />
      )}
    </>
  );
}

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

function Item({ run, alone }: { run: RunEntry; alone: boolean }) {
  const chosen = useSelector((s) => s.shown.run === run.run && s.selection.view === "");
  const label = cleanName(run.label);
  return (
    <li class="run-list-item">
      <RunEntryButton
        launch={newestLaunch(run) as LaunchEntry}
        title={ellipsis(label, MAX_LETTERS)}
        name={label}
        chosen={chosen}
        onChoose={() => select({ run: run.run, launch: "", steps: null })}
      />
      {!chosen && !alone && <CompareButton run={run} />}
      {chosen && run.launches.length > 1 && <RunLaunches run={run} />}
    </li>
  );
}

/** Scrolls the list, never the page, to the chosen run when it changes, also by the address. */
function useChosenInView(nav: RefObject<HTMLElement | null>, count: number): void {
  const run = useSelector((s) => s.shown.run);
  useLayoutEffect(() => {
    const entry = nav.current?.querySelector("[aria-current]");
    if (!nav.current || !entry) return;
    const [list, item] = [nav.current.getBoundingClientRect(), entry.getBoundingClientRect()];
    if (item.top < list.top || item.bottom > list.bottom)
      nav.current.scrollTop += item.top - list.top - list.height / 3;
  }, [run, count]);
}

/** The arrow keys move the focus from run to run. */
function onKeyDown(event: KeyboardEvent): void {
  const by = { ArrowDown: 1, ArrowUp: -1, Home: -1e6, End: 1e6 }[event.key] ?? 0;
  const nav = event.currentTarget as HTMLElement;
  const entries = [...nav.querySelectorAll<HTMLButtonElement>("button.run-entry")];
  const at = entries.indexOf(document.activeElement as HTMLButtonElement);
  if (by === 0 || at < 0) return;
  event.preventDefault();
  entries[Math.min(entries.length - 1, Math.max(0, at + by))]?.focus();
}

export function RunList() {
  const runs = useSelector((s) => s.runs?.runs ?? NO_RUNS);
  const [name, setName] = useState("");
  const [chosenHeadline, setHeadline] = useState("");
  const nav = useRef<HTMLElement>(null);
  const headline = headlinesOf(runs).includes(chosenHeadline) ? chosenHeadline : "";
  const letters = name.trim().toLowerCase();
  const visible = runs.filter(
    (run) =>
      newestLaunch(run) &&
      run.label.toLowerCase().includes(letters) &&
      (headline === "" || headlineOf(run) === headline),
  );
  useChosenInView(nav, runs.length);
  const listed = visible.map(({ run }) => run);
  useEffect(() => setListedRuns(listed), [listed.join("\n")]);
  return (
    <nav class="run-list" aria-label="Runs" ref={nav} onKeyDown={onKeyDown}>
      <h2 class="run-list-title">
        Runs{" "}
        <span class="run-list-count">
          {visible.length === runs.length ? runs.length : `${visible.length} of ${runs.length}`}
        </span>
        <RunTableButton />
      </h2>
      <Filters runs={runs} headline={headline} onHeadline={setHeadline} name={name} onName={setName} />
      <ul>
        {visible.map((run) => (
          <Item key={run.run} run={run} alone={runs.length === 1} />
        ))}
      </ul>
      {visible.length === 0 && runs.length > 0 && <p class="quiet run-list-empty">No matching runs</p>}
    </nav>
  );
}
