// The launches of a run that was started more than once.
import { showRun } from "../actions";
import type { RunEntry } from "../lib/api";
import { newestLaunch } from "../lib/defaults";
import { cleanName } from "../lib/format";
import { useSelector } from "../state";
import { RunEntryButton } from "./run-entry";
import { formatTime } from "./run-title";

export function RunLaunches({ run }: { run: RunEntry }) {
  const chosen = useSelector((s) => s.shown.launch);
  const overview = useSelector((s) => s.overview?.answer);
  const newest = newestLaunch(run)?.launch;
  const shown = chosen || (overview?.run === run.run ? overview.launch : newest);
  return (
    <ol class="run-launches" aria-label="Launches of this run, newest first">
      {[...run.launches].reverse().map((launch) => (
        <li key={launch.launch}>
          <RunEntryButton
            small
            launch={launch}
            title={formatTime(launch.started)}
            name={cleanName(launch.headline)}
            chosen={launch.launch === shown}
            onChoose={() => showRun(run.run, { launch: launch.launch === newest ? "" : launch.launch })}
          />
        </li>
      ))}
    </ol>
  );
}
