// Icons that differ by shape as well as by colour.
import type { LinkAnswer, Outcome, Severity, Status } from "../lib/api";

export type Look =
  | Outcome
  | "error"
  | "warning"
  | "info"
  | "ok"
  | "passed"
  | "unknown"
  | "affected"
  | "suspected";

const SHAPES: Record<Look, [outline: string, glyph: string]> = {
  error: ["M5 1h6l4 4v6l-4 4H5l-4-4V5z", "M5.5 5.5l5 5M10.5 5.5l-5 5"],
  warning: ["M8 1.5 15.3 14.5H.7z", "M8 6v4M8 12v.6"],
  info: ["M1 8a7 7 0 1 0 14 0A7 7 0 1 0 1 8z", "M8 7.2v4.3M8 4.4v.6"],
  ok: ["M1 8a7 7 0 1 0 14 0A7 7 0 1 0 1 8z", "M4.8 8.2l2.3 2.3 4.2-4.6"],
  passed: ["", "M2.6 8.6l3.6 3.6 7.2-8.2"],
  unknown: ["M2.5 2.5h11v11h-11z", "M6.2 6.2a1.9 1.9 0 1 1 2.6 1.8q-.8.3-.8 1.2M8 11.2v.6"],
  suspected: [
    "M6.6.8a5.8 5.8 0 1 0 3.3 10.6l3.9 3.9 1.6-1.6-3.9-3.9A5.8 5.8 0 0 0 6.6.8z",
    "M3.6 6.6a3 3 0 1 0 6 0 3 3 0 1 0-6 0z",
  ],
  affected: ["M8 .8 15.2 8 8 15.2.8 8z", "M6 5v3.2h4M8.6 6.6l1.7 1.6-1.7 1.6"],
  confirmed: [
    "M8 .8l6.2 2.4v4.6c0 3.7-2.7 6.2-6.2 7.4-3.5-1.2-6.2-3.7-6.2-7.4V3.2z",
    "M4.9 7.8l2.2 2.3 4-4.5",
  ],
  refuted: ["M1 8a7 7 0 1 0 14 0A7 7 0 1 0 1 8z", "M3.4 12.6l9.2-9.2"],
  open: ["M1 4.6h14v6.8H1z", "M4.4 8h.01M8 8h.01M11.6 8h.01"],
};

export function StatusIcon({ look, size = 16 }: { look: Look; size?: number }) {
  const [outline, glyph] = SHAPES[look];
  return (
    <svg
      class={`status-icon ${look}`}
      width={size}
      height={size}
      viewBox="0 0 16 16"
      aria-hidden="true"
      focusable="false"
    >
      <path class="status-icon-outline" d={outline} />
      <path class="status-icon-glyph" d={glyph} />
    </svg>
  );
}

export function lookOf(status: Status, severity: Severity): Look {
  if (status === "healthy") return "ok";
  if (severity !== "none") return severity;
  return status === "sick" ? "error" : "unknown";
}

export function lookOfSeverity(severity: Severity): Look {
  return severity === "none" ? "ok" : severity;
}

export const LINK_LOOK: Record<LinkAnswer["state"], Look> = {
  ok: "ok",
  broken: "error",
  suspected: "suspected",
  affected: "affected",
  passed: "passed",
  unknown: "unknown",
  note: "info",
};
