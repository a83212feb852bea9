// What stands below the name of a run until its answers are there: what the list knows of it, and empty frames.
import { cleanName, runLabel } from "../lib/format";
import { useSelector } from "../state";
import { RunTitle, useLaunchEntry } from "./run-title";
import { lookOf, StatusIcon } from "./status-icon";

/** A section whose answer is not there yet. `lines`: about as high as so many lines of text. */
export function EmptySection({ title, lines }: { title?: string; lines: number }) {
  return (
    <section class="panel-section empty-section" aria-hidden="true" style={{ minHeight: `${lines * 21}px` }}>
      {title && <h2>{title}</h2>}
    </section>
  );
}

export function RunSkeleton() {
  const { run, launch } = useSelector((s) => s.shown);
  const runs = useSelector((s) => s.runs?.runs);
  const error = useSelector((s) => s.pollError);
  const entry = useLaunchEntry({ run, launch });
  const label = runLabel(runs, run);
  return (
    <div class="page-sections">
      <RunTitle run={run} launch={launch} />
      <section class="panel-section">
        {entry && (
          <p class="run-skeleton-status">
            <StatusIcon look={lookOf(entry.status, entry.severity)} size={18} />
            <strong>{cleanName(entry.headline)}</strong>
          </p>
        )}
        <p class="run-skeleton-loading quiet" role="status">
          {error === "" && `Loading ${label} …`}
        </p>
        <p class="run-skeleton-error" role="alert">
          {error !== "" && `${label} could not be loaded. ${error}`}
        </p>
      </section>
      {error === "" && [8, 6, 18].map((lines) => <EmptySection key={lines} lines={lines} />)}
    </div>
  );
}
