// The runs, and the launches of a run that was started more than once.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { LaunchEntry, OverviewAnswer, RunEntry } from "../lib/api";
import { newest } from "../lib/defaults";
import { cleanName, ellipsis, formatCount } from "../lib/format";
import type { Selection } from "../lib/url";
import { compared } from "../lib/url";
import { select, toggleCompared } from "../load";
import { Icon, lookOf } from "./status-icon";

const STATE_TEXT: Record<LaunchEntry["state"], string> = {
  training: "training",
  ended: "ended",
  stopped: "stopped",
  died: "died",
};

interface EntryProps {
  launch: LaunchEntry;
  title: string;
  name: string;
  chosen: boolean;
  small?: boolean;
  onPick: () => void;
}

function Entry({ launch, title, name, chosen, small, onPick }: EntryProps) {
  return (
    <button
      type="button"
      class={small ? "entry small" : "entry"}
      aria-current={chosen ? "true" : undefined}
      title={`${name}\n${cleanName(launch.state_text)}`}
      onClick={onPick}
    >
      <Icon look={lookOf(launch.status, launch.severity)} />
      <span class="entry-text">
        <span class="entry-name">{title}</span>
        <span class="entry-head">{cleanName(launch.headline)}</span>
        <span class="entry-state">
          <span class={`state ${launch.state}`}>{STATE_TEXT[launch.state]}</span> · step{" "}
          {formatCount(launch.last_step)}
        </span>
      </span>
    </button>
  );
}

function when(started: number): string {
  return new Date(started * 1000).toLocaleString(undefined, { dateStyle: "short", timeStyle: "short" });
}

function Launches({
  run,
  shown,
  current,
}: {
  run: RunEntry;
  shown: Selection;
  current: OverviewAnswer | null;
}) {
  const latest = newest(run)?.launch;
  const open = shown.launch || (current?.run === run.run ? current.launch : latest);
  return (
    <ol class="launches" aria-label="Launches of this run, newest first">
      {[...run.launches].reverse().map((launch) => (
        <li key={launch.launch}>
          <Entry
            small
            launch={launch}
            title={when(launch.started)}
            name={cleanName(launch.headline)}
            chosen={launch.launch === open}
            onPick={() => select({ run: run.run, launch: launch.launch === latest ? "" : launch.launch })}
          />
        </li>
      ))}
    </ol>
  );
}

interface Props {
  runs: RunEntry[];
  shown: Selection;
  current: OverviewAnswer | null;
}

interface FilterProps {
  runs: RunEntry[];
  said: string;
  onSaid: (headline: string) => void;
  name: string;
  onName: (name: string) => void;
}

function headlinesOf(runs: RunEntry[]): string[] {
  return [...new Set(runs.flatMap((r) => newest(r)?.headline ?? []))].sort();
}

function Filters({ runs, said, onSaid, name, onName }: FilterProps) {
  const headlines = headlinesOf(runs);
  return (
    <>
      {headlines.length > 1 && (
        <select
          class="by-verdict"
          aria-label="Filter runs by verdict"
          value={said}
          onChange={(event) => onSaid(event.currentTarget.value)}
        >
          <option value="">all verdicts</option>
          {headlines.map((h) => (
            <option key={h} value={h}>
              {cleanName(h)} ({runs.filter((r) => newest(r)?.headline === h).length})
            </option>
          ))}
        </select>
      )}
      {runs.length > 3 && (
        <input
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

export function RunList({ runs, shown, current }: Props) {
  const [filter, setFilter] = useState("");
  const [verdict, setVerdict] = useState("");
  const nav = useRef<HTMLElement>(null);
  const wanted = filter.trim().toLowerCase();
  const said = headlinesOf(runs).includes(verdict) ? verdict : "";
  const list = runs.filter(
    (r) => r.label.toLowerCase().includes(wanted) && newest(r) && (!said || newest(r)?.headline === said),
  );
  const others = compared(shown);

  // The chosen run comes into view, also one that the address chose; only the list scrolls, never the page.
  useLayoutEffect(() => {
    const entry = nav.current?.querySelector<HTMLElement>("button.entry[aria-current]");
    if (!nav.current || !entry) return;
    const [box, at] = [nav.current.getBoundingClientRect(), entry.getBoundingClientRect()];
    if (at.top < box.top || at.bottom > box.bottom)
      nav.current.scrollTop += at.top - box.top - box.height / 3;
  }, [shown.run, runs.length]);

  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowDown: 1, ArrowUp: -1, Home: -1e6, End: 1e6 }[event.key] ?? 0;
    const buttons = [...(nav.current?.querySelectorAll<HTMLButtonElement>("button.entry") ?? [])];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    if (by === 0 || at < 0) return;
    event.preventDefault();
    buttons[Math.min(buttons.length - 1, Math.max(0, at + by))]?.focus();
  };

  return (
    <nav class="runs" aria-label="Runs" ref={nav} onKeyDown={onKeyDown}>
      <h2>
        Runs{" "}
        <span class="count">
          {list.length === runs.length ? runs.length : `${list.length} of ${runs.length}`}
        </span>
      </h2>
      <Filters runs={runs} said={said} onSaid={setVerdict} name={filter} onName={setFilter} />
      <ul>
        {list.map((run) => (
          <li key={run.run}>
            <Entry
              launch={newest(run) as LaunchEntry}
              title={ellipsis(cleanName(run.label), 90)}
              name={cleanName(run.label)}
              chosen={run.run === shown.run}
              onPick={() => select({ run: run.run, launch: "", from: "", to: "" })}
            />
            {run.run !== shown.run && runs.length > 1 && (
              <button
                type="button"
                class="tool with"
                aria-pressed={others.includes(run.run)}
                aria-label={`Compare with ${cleanName(run.label)}`}
                onClick={() => toggleCompared(run.run)}
              >
                {others.includes(run.run) ? "✓" : "compare"}
              </button>
            )}
            {run.run === shown.run && run.launches.length > 1 && (
              <Launches run={run} shown={shown} current={current} />
            )}
          </li>
        ))}
      </ul>
      {list.length === 0 && runs.length > 0 && <p class="quiet">No run matches.</p>}
    </nav>
  );
}
