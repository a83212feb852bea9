// One run in the list: its status, its worst verdict or its symptom and first suspect, and its state.
import type { LaunchEntry } from "../lib/api";
import { cleanName, formatCount } from "../lib/format";
import { lookOf, StatusIcon } from "./status-icon";

interface Props {
  launch: LaunchEntry;
  title: string;
  name: string; // for the tooltip
  chosen: boolean;
  small?: boolean;
  onChoose: () => void;
}

export function RunEntryButton({ launch, title, name, chosen, small = false, onChoose }: Props) {
  return (
    <button
      type="button"
      class={small ? "run-entry run-entry-small" : "run-entry"}
      aria-current={chosen ? "true" : undefined}
      title={`${name}\n${cleanName(launch.state_text)}`}
      onClick={onChoose}
    >
      <StatusIcon look={lookOf(launch.status, launch.severity)} />
      <span class="run-entry-text">
        <span class="run-entry-name">{title}</span>
        <span class="run-entry-headline">{cleanName(launch.headline)}</span>
        <span class="run-entry-steps">
          <span class={`run-state ${launch.state}`}>{launch.state}</span> ·{" "}
          <span class="run-entry-step">step {formatCount(launch.last_step)}</span>
        </span>
      </span>
    </button>
  );
}
