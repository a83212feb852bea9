// What the user has chosen to see.
import { type Span, sameSpan } from "./buckets";
import type { RowOrder } from "./row-arrangement";
import type { RunOrder } from "./run-order";

/** An empty string means "not chosen": a default is shown instead (`lib/defaults.ts`). */
export interface Selection {
  run: string;
  launch: string; // "": the newest
  quantity: string; // of the heat map
  variable: string; // or layer
  steps: Span | null; // null: the whole run
  order: RowOrder;
  compare: readonly string[]; // names of the runs to compare with `run`
  link: string; // of the chain, whose text is shown
  sort: RunOrder; // of the list of runs
  runFilter: string; // text, glob or regular expression (`lib/name-filter.ts`); "": all runs
  verdict: string; // the headline of the listed runs; "": all
  variableFilter: string; // as `runFilter`, for the rows of the heat map
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
  link: "",
  sort: "name",
  runFilter: "",
  verdict: "",
  variableFilter: "",
  view: "",
};

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}

/** The keys in which two selections differ. */
export function changedKeys(a: Selection, b: Selection): (keyof Selection)[] {
  return (Object.keys(NOTHING) as (keyof Selection)[]).filter((key) => {
    if (key === "steps") return !sameSpan(a.steps, b.steps);
    return key === "compare" ? !sameList(a.compare, b.compare) : a[key] !== b[key];
  });
}

export function sameSelection(a: Selection, b: Selection): boolean {
  return changedKeys(a, b).length === 0;
}

/** What must be loaded when these keys change. "zoom": the details of other steps. */
export function loadNeeded(
  changed: readonly (keyof Selection)[],
): "overview" | "details" | "zoom" | "nothing" {
  const any = (...keys: (keyof Selection)[]) => keys.some((key) => changed.includes(key));
  if (any("run", "launch", "view")) return "overview";
  if (any("quantity", "variable", "compare")) return "details";
  return any("steps") ? "zoom" : "nothing";
}

/** The runs to compare with `run`; a run is not compared with itself. */
export function comparedRuns(selection: Pick<Selection, "run" | "compare">): string[] {
  return selection.compare.filter((run) => run !== selection.run);
}
