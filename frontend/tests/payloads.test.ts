// The contract, held from both sides: tests/payloads/*.json is what the backend answered, lib/api.ts what the panel
// believes. A key that is missing, new or of another type fails `npm run check`; a word outside its union fails here.
import { describe, expect, test } from "vitest";
import type {
  Cell,
  CurvesAnswer,
  ExperimentAnswer,
  ExplanationAnswer,
  HeatmapAnswer,
  LaunchState,
  LinkAnswer,
  Outcome,
  OverviewAnswer,
  QuantityAnswer,
  RunsAnswer,
  Severity,
  Status,
  TermAnswer,
  VerdictAnswer,
} from "../src/lib/api";
import type { RunTableAnswer } from "../src/lib/api-table";
import curvesRun from "./payloads/curves-run.json";
import curvesVariable from "./payloads/curves-variable.json";
import explainedQuantity from "./payloads/explanation-quantity.json";
import explainedRule from "./payloads/explanation-rule.json";
import heatmap from "./payloads/heatmap.json";
import heatmapNan from "./payloads/heatmap-nan.json";
import healthy from "./payloads/overview-healthy.json";
import nan from "./payloads/overview-nan.json";
import sick from "./payloads/overview-sick.json";
import suspected from "./payloads/overview-suspected.json";
import tested from "./payloads/overview-tested.json";
import runTable from "./payloads/run-table.json";
import runs from "./payloads/runs.json";
import empty from "./payloads/runs-empty.json";

/** A type as TypeScript sees it in JSON: literals and tuples widened. */
type Widen<T> = T extends string
  ? string
  : T extends number
    ? number
    : T extends boolean
      ? boolean
      : T extends readonly (infer U)[]
        ? Widen<U>[]
        : T extends object
          ? { [K in keyof T]: Widen<T[K]> }
          : T;

/** Keys that the JSON has, at any depth, and the type has not. */
type Extra<J, T> = J extends readonly (infer A)[]
  ? T extends readonly (infer B)[]
    ? Extra<A, B>
    : never
  : J extends object
    ? T extends object
      ? Exclude<keyof J, keyof T> | { [K in keyof J & keyof T]: Extra<J[K], T[K]> }[keyof J & keyof T]
      : never
    : never;

type Fits<J, T> = [Extra<J, T>] extends [never] ? Widen<T> : { "unknown key": Extra<J, T> };

runs satisfies Fits<typeof runs, RunsAnswer>;
empty satisfies Fits<typeof empty, RunsAnswer>;
runTable satisfies Fits<typeof runTable, RunTableAnswer>;
sick satisfies Fits<typeof sick, OverviewAnswer>;
nan satisfies Fits<typeof nan, OverviewAnswer>;
suspected satisfies Fits<typeof suspected, OverviewAnswer>;
tested satisfies Fits<typeof tested, OverviewAnswer>;
healthy satisfies Fits<typeof healthy, OverviewAnswer>;
heatmap satisfies Fits<typeof heatmap, HeatmapAnswer>;
heatmapNan satisfies Fits<typeof heatmapNan, HeatmapAnswer>;
curvesRun satisfies Fits<typeof curvesRun, CurvesAnswer>;
curvesVariable satisfies Fits<typeof curvesVariable, CurvesAnswer>;
explainedRule satisfies Fits<typeof explainedRule, ExplanationAnswer>;
explainedQuantity satisfies Fits<typeof explainedQuantity, ExplanationAnswer>;

// `Record` over the union: a word that is added to the union and not here does not compile.
const STATUS: Record<Status, true> = { healthy: true, sick: true, undecided: true };
const SEVERITY: Record<Severity, true> = { none: true, info: true, warning: true, error: true };
const STATE: Record<LaunchState, true> = { training: true, ended: true, stopped: true, died: true };
const CERTAINTY: Record<VerdictAnswer["certainty"], true> = { certain: true, likely: true };
const LINK: Record<LinkAnswer["state"], true> = {
  ok: true,
  broken: true,
  suspected: true,
  affected: true,
  passed: true,
  unknown: true,
  note: true,
};
const TERM: Record<TermAnswer["state"], true> = { ...LINK, "": true };
const OUTCOME: Record<Outcome | "", true> = { confirmed: true, refuted: true, open: true, "": true };
const END: Record<ExperimentAnswer["end"], true> = {
  completed: true,
  failed: true,
  interrupted: true,
  skipped: true,
};
const SCALE: Record<QuantityAnswer["scale"], true> = { log: true, linear: true, share: true };
const AXIS: Record<QuantityAnswer["axis"], true> = { variable: true, layer: true, run: true };
const CELL: Record<Extract<Cell, string>, true> = {
  NaN: true,
  Infinity: true,
  "-Infinity": true,
  None: true,
};

const WORDS: Record<string, Record<string, true>> = {
  status: STATUS,
  severity: SEVERITY,
  worst: SEVERITY,
  certainty: CERTAINTY,
  outcome: OUTCOME,
  end: END,
  scale: SCALE,
  axis: AXIS,
};

/** Every place in `value` at which a word stands that its union does not know. */
function strangers(value: unknown, path = "", key = ""): string[] {
  if (Array.isArray(value)) return value.flatMap((item, i) => strangers(item, `${path}[${i}]`, key));
  if (value !== null && typeof value === "object")
    return Object.entries(value).flatMap(([k, item]) => strangers(item, `${path}.${k}`, k));
  if (typeof value !== "string") return [];
  const inChain = path.includes(".chain[") || path.includes(".links[");
  const inEquation = path.includes(".equation.");
  const words =
    key === "state"
      ? inChain
        ? LINK
        : inEquation
          ? TERM
          : STATE
      : ["low", "high", "last", "falls"].includes(key)
        ? CELL
        : key === "value" && path.includes(".evidence[")
          ? CELL
          : WORDS[key];
  return words && !(value in words) ? [`${path} = ${value}`] : [];
}

describe("payloads", () => {
  const files = import.meta.glob<unknown>("./payloads/*.json", { eager: true, import: "default" });

  test.each(Object.entries(files))("%s holds only words that the panel knows", (_, payload) => {
    expect(strangers(payload)).toEqual([]);
  });

  test.each([sick, nan, healthy, suspected, tested])(
    "the chain has its seven links in order",
    ({ chain }) => {
      expect(chain.map((l) => l.link)).toEqual([
        "data",
        "activations",
        "loss",
        "gradient",
        "optimizer",
        "update",
        "weight",
      ]);
      expect(chain.filter((l) => l.first).length).toBeLessThanOrEqual(1);
    },
  );

  test.each([heatmap, heatmapNan])("every row of a map has a cell for each bucket", (map) => {
    for (const rows of [map.low, map.high]) {
      expect(rows.length).toBe(map.names.length);
      for (const row of rows) expect(row.length).toBe(map.first.length);
    }
    expect(map.last.length).toBe(map.first.length);
  });

  test("every learning rate of a curve has a fall of the loss", () => {
    const curves = tested.experiments.flatMap(({ curve }) => curve ?? []);
    expect(curves.length).toBe(1);
    for (const { rates, falls } of curves) expect(falls.length).toBe(rates.length);
  });

  test.each([curvesRun, curvesVariable])("every curve has a value for each step", ({ steps, curves }) => {
    for (const { low, high, last } of curves)
      for (const cells of [low, high, last]) expect(cells.length).toBe(steps.length);
  });
});
