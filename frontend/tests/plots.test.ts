// What the plots draw and name: buckets and gaps, lanes for what has no place on the scale, marks of recorded steps.
import { describe, expect, test } from "vitest";
import { rangeWithLanes, valueRange } from "../src/draw/curve-axes";
import { lanesOf } from "../src/draw/curve-lanes";
import { drawableOf, marked } from "../src/draw/curve-lines";
import type { Cell, CurveAnswer } from "../src/lib/api";
import type { Scale } from "../src/lib/cells";
import { gapsOf, lastSlot, sameSlot, slotAt, slotText, stepNear, stepsOf } from "../src/lib/slots";
import heatmap from "./payloads/heatmap.json";

const buckets = { covered: [1, 140], first: [1, 33, 97], last: [16, 40, 128], recorded: [16, 8, 8] };
const textAt = (step: number) => slotText(slotAt(step, buckets));

describe("slots", () => {
  test("a step is in a bucket or in a gap, and both say what was recorded", () => {
    expect([1, 16, 17, 32, 33, 60, 97, 128, 129, 140].map(textAt)).toEqual([
      "steps 1–16",
      "steps 1–16",
      "steps 17–32: not recorded",
      "steps 17–32: not recorded",
      "steps 33–40",
      "steps 41–96: not recorded",
      "steps 97–128: 8 of 32 recorded",
      "steps 97–128: 8 of 32 recorded",
      "steps 129–140: not recorded",
      "steps 129–140: not recorded",
    ]);
    expect([slotAt(60, buckets).bucket, slotAt(40, buckets).bucket]).toEqual([-1, 1]);
  });
  test("nothing is said of steps that the answer does not cover", () => {
    expect([textAt(0), textAt(141)]).toEqual(["step 0: no data", "step 141: no data"]);
    expect(slotAt(1, { covered: [], first: [], last: [], recorded: [] }).recorded).toBe(null);
    expect(stepNear(141, buckets, 50)).toBe(141);
    expect(lastSlot({ covered: [], first: [], last: [], recorded: [] })).toBe(null);
  });
  test("a range in which nothing was recorded is one gap", () => {
    const empty = { covered: [65, 80], first: [], last: [], recorded: [] };
    expect([stepsOf(empty), stepsOf(buckets)]).toEqual([[], [1, 128]]);
    expect(gapsOf(empty)).toEqual([[65, 80]]);
    expect(slotAt(70, empty)).toEqual({ first: 65, last: 80, recorded: 0, bucket: -1 });
  });
  test("gaps and buckets together are all covered steps", () => {
    expect(gapsOf(buckets)).toEqual([
      [17, 32],
      [41, 96],
      [129, 140],
    ]);
    expect(gapsOf({ ...buckets, covered: [1, 128] }).length).toBe(2);
    expect(gapsOf(heatmap)).toEqual([]);
  });
  test("the pointer reads a bucket beside it, if it is near", () => {
    expect([18, 20, 42, 95, 12].map((step) => stepNear(step, buckets, 2))).toEqual([16, 20, 40, 97, 12]);
    expect(stepNear(139, buckets, 5)).toBe(139);
  });
  test("slots are the same if their steps are", () => {
    expect(sameSlot(slotAt(18, buckets), slotAt(30, buckets))).toBe(true);
    expect(sameSlot(slotAt(18, buckets), slotAt(1, buckets))).toBe(false);
    expect(sameSlot(null, slotAt(1, buckets))).toBe(false);
  });
});

describe("lanes", () => {
  const curve = (high: Cell[], low = high, last = high) => ({ high, low, last }) as CurveAnswer;
  test("only what occurs has a lane, and zero only on a log scale", () => {
    const cells = curve([1, 0, "NaN", "None", null, "-Infinity"]);
    const labels = (values: typeof cells, scale: "log" | "linear") =>
      lanesOf(values, scale).map((l) => l.label);
    expect(labels(cells, "log")).toEqual(["0", "None", "Inf", "NaN"]);
    expect(labels(cells, "linear")).toEqual(["None", "Inf", "NaN"]);
    expect(labels(curve([1, 2, null]), "log")).toEqual([]);
    expect(labels(curve([-1]), "log")).toEqual(["≤ 0"]);
  });
  test("a bucket has a mark in the lane of each of its values", () => {
    const lanes = lanesOf(curve([5, "NaN", null], [0, "NaN", null], [3, 2, null]), "log");
    expect(lanes.map(({ kind, buckets }) => [kind, buckets])).toEqual([
      ["zero", [0]],
      ["nan", [1]],
    ]);
  });
  test("the value axis leaves out what is no number, and grows downwards by its lanes", () => {
    const [low, high] = valueRange([curve([1e-3, 0, "NaN"]), curve([1])], "log");
    expect(low).toBeLessThan(1e-3);
    expect(high).toBeGreaterThan(1);
    const [longer, same] = rangeWithLanes([low, high], 2, "log");
    expect(same).toBe(high);
    expect(longer).toBeLessThan(low);
    expect(longer).toBeGreaterThan(0);
    expect(rangeWithLanes([0, 66], 1, "linear")).toEqual([-20, 66]);
    expect(rangeWithLanes([0, 1], 0, "linear")).toEqual([0, 1]);
  });
});

describe("lines", () => {
  const joinsOf = (last: Cell[], scale: Scale = "log") => {
    const first = last.map((_, i) => [1, 2, 10, 11, 12][i] as number);
    const curve = { low: last, high: last, last } as CurveAnswer;
    const buckets = { covered: [1, 12], first, last: first, recorded: first.map(() => 1) };
    return drawableOf({ ...buckets, steps: first, curve }, [0.1, 10], scale).points.map((p) => p.joins);
  };
  test("a line joins neighbouring buckets, and a gap is no line", () => {
    expect(joinsOf([1, 1, 1, 1, 1])).toEqual(["none", "line", "gap", "line", "line"]);
  });
  test("a value that was not recorded is a gap, and what is no number interrupts the line", () => {
    expect(joinsOf([1, 1, 1, null, 1])).toEqual(["none", "line", "gap", "gap"]);
    for (const special of ["NaN", "None", "Infinity", 0] as Cell[])
      expect(joinsOf([1, special, 1, 1, 1])).toEqual(["none", "none", "line", "line"]);
    expect(joinsOf([1, 0, 1], "linear")).toEqual(["none", "line", "gap"]);
  });
  test("a compared curve is drawn on the scale of the chosen one", () => {
    const curve = { quantity: { scale: "log" }, low: [5], high: [5], last: [5] } as unknown as CurveAnswer;
    const buckets = { covered: [1, 1], first: [1], last: [1], recorded: [1], steps: [1] };
    expect(drawableOf({ ...buckets, curve }, [0, 10], "linear").points[0]?.y).toBe(0.5);
  });
  test("a band is as wide as its bucket, and reaches the lower end for a zero on a log scale", () => {
    const curve = { low: [1, 0], high: [10, 1], last: [1, 1] } as CurveAnswer;
    const buckets = { covered: [1, 9], first: [1, 5], last: [4, 9], recorded: [4, 2] };
    expect(drawableOf({ ...buckets, steps: [4, 9], curve }, [0.1, 10], "log").bands).toEqual([
      { first: 1, last: 4, low: 0.5, high: 1 },
      { first: 5, last: 9, low: 0, high: 0.5 },
    ]);
  });
});

test("points with room have marks, and so has a line too short to be seen", () => {
  const at = (x: number, joins: "line" | "gap" | "none") => ({ x, y: 0, joins });
  const roomy = [at(0, "none"), at(20, "line"), at(40, "line")];
  expect(marked(roomy, 1)).toEqual(roomy);
  const short = [at(100, "gap"), at(101, "line")];
  const long = [at(200, "gap"), ...Array.from({ length: 50 }, (_, i) => at(201 + i, "line"))];
  expect(marked([...short, ...long, at(300, "gap")], 1)).toEqual([at(101, "line"), at(300, "gap")]);
});
