// What the user has chosen to see.
import { type Span, sameSpan } from "./buckets";
import type { RowOrder } from "./row-arrangement";

/** An empty string means "not chosen": a default is shown instead (`lib/defaults.ts`). */
export interface Selection {
  run: string;
  launch: string; // "": the newest
  quantity: string; // of the heat map
  variable: string; // or layer
  steps: Span | null; // null: the whole run
  order: RowOrder;
  compare: readonly string[]; // names of the runs to compare with `run`
  view: string; // "": a run; else the table of all runs, and how it is sorted (`lib/run-table.ts`)
}

export const NOTHING: Selection = {
  run: "",
  launch: "",
  quantity: "",
  variable: "",
  steps: null,
  order: "model",
  compare: [],
  view: "",
};

export function sameSelection(a: Selection, b: Selection): boolean {
  return (
    a.run === b.run &&
    a.launch === b.launch &&
    a.quantity === b.quantity &&
    a.variable === b.variable &&
    sameSpan(a.steps, b.steps) &&
    a.order === b.order &&
    a.view === b.view &&
    a.compare.length === b.compare.length &&
    a.compare.every((run, i) => run === b.compare[i])
  );
}

/** The runs to compare with `run`; a run is not compared with itself. */
export function comparedRuns(selection: Pick<Selection, "run" | "compare">): string[] {
  return selection.compare.filter((run) => run !== selection.run);
}
