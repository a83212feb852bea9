// What an experiment says of a cause, in words and with an icon that differs by shape.
import type { Outcome } from "../lib/api";
import { StatusIcon } from "./status-icon";

const LONG: Record<Outcome, string> = {
  confirmed: "confirmed by experiment",
  refuted: "refuted by experiment",
  open: "experiment: open",
};

/** `short`: beside an experiment, which need not be named. Nothing where no experiment tested the cause. */
export function OutcomeMark({ outcome, short = false }: { outcome: Outcome | ""; short?: boolean }) {
  if (outcome === "") return null;
  return (
    <span class={`outcome-mark ${outcome}`}>
      <StatusIcon look={outcome} size={14} />
      {short ? outcome : LONG[outcome]}
    </span>
  );
}
