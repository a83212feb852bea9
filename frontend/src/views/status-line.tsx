// The status of a launch in one line: icon, word, and details.
import type { ComponentChildren } from "preact";
import type { OverviewAnswer, Status } from "../lib/api";
import { type Look, lookOf, StatusIcon } from "./status-icon";

const STATUS_TEXT: Record<Status, string> = { healthy: "Healthy", sick: "Sick", undecided: "Undecided" };

export function lookOfOverview(overview: OverviewAnswer): Look {
  return lookOf(overview.status, overview.severity);
}

interface Props {
  overview: OverviewAnswer;
  size?: number; // of the icon
  children: ComponentChildren; // spans; dots are drawn between them
}

export function StatusLine({ overview, size = 16, children }: Props) {
  const look = lookOfOverview(overview);
  return (
    <p class={`status-line ${look}`}>
      <StatusIcon look={look} size={size} />
      <strong>{STATUS_TEXT[overview.status]}</strong>
      {children}
    </p>
  );
}
