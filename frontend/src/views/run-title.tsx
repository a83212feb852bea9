// The name of the shown run, above everything that is shown of it; the launch, if there are several.
import { newestLaunch } from "../lib/defaults";
import { runLabel } from "../lib/format";
import { useSelector } from "../state";
import { PAGE_TITLE } from "./use-focus";

export function formatTime(seconds: number): string {
  return new Date(seconds * 1000).toLocaleString(undefined, { dateStyle: "short", timeStyle: "short" });
}

interface Props {
  run: string;
  launch: string; // "": the newest
}

/** The entry of the list that belongs to a launch. */
export function useLaunchEntry({ run, launch }: Props) {
  const entry = useSelector((s) => s.runs?.runs.find((r) => r.run === run));
  if (!entry) return undefined;
  return entry.launches.find((l) => l.launch === launch) ?? newestLaunch(entry);
}

export function RunTitle({ run, launch }: Props) {
  const runs = useSelector((s) => s.runs?.runs);
  const entry = useLaunchEntry({ run, launch });
  const hasSeveral = (runs?.find((r) => r.run === run)?.launches.length ?? 0) > 1;
  return (
    <p class={`run-title ${PAGE_TITLE}`} tabIndex={-1}>
      <strong>{runLabel(runs, run)}</strong>
      {hasSeveral && entry && <span class="quiet"> launch of {formatTime(entry.started)}</span>}
    </p>
  );
}
