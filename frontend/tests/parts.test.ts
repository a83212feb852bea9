// Zoom, arrangement of rows, tables as text, comparison: pure functions of the panel.
import { describe, expect, test } from "vitest";
import type { Cell, HeatmapAnswer } from "../src/lib/api";
import { commonSpan, moved, zoomed } from "../src/lib/buckets";
import { curvesTable, heatmapTable, toCsv, toTsv } from "../src/lib/csv";
import { fileName } from "../src/lib/file-names";
import { formatLines } from "../src/lib/format";
import { arrange, blocksOf, commonDomain, extreme, rowsOf, toRowOrder } from "../src/lib/row-arrangement";
import curves from "./payloads/curves-variable.json";
import heatmapJson from "./payloads/heatmap.json";

const heatmap = heatmapJson as unknown as HeatmapAnswer;
const whole = { from: 1, to: 1000 };

describe("zoom", () => {
  test("the chosen steps are cut to the whole axis; if nothing is left, it is shown", () => {
    expect(zoomed(whole, { from: 10, to: 20 })).toEqual({ from: 10, to: 20 });
    expect(zoomed(whole, { from: -5, to: 5000 })).toEqual(whole);
    expect(zoomed(whole, { from: 2000, to: 3000 })).toEqual(whole);
    expect(zoomed(whole, null)).toEqual(whole);
  });
  test("one axis spans all launches; a launch without rows counts up to its last step", () => {
    expect(commonSpan([5, 90], [[1, 40], [], [7, 100]], 95)).toEqual({ from: 1, to: 100 });
    expect(commonSpan([], [], 64)).toEqual({ from: 1, to: 64 });
  });
  test("moving and widening never leave the whole and never end on half a step", () => {
    expect(moved({ from: 101, to: 201 }, whole, 0.5)).toEqual({ from: 151, to: 251 });
    expect(moved({ from: 1, to: 101 }, whole, -3)).toEqual({ from: 1, to: 101 });
    expect(moved({ from: 900, to: 1000 }, whole, 3)).toEqual({ from: 900, to: 1000 });
    expect(moved({ from: 101, to: 201 }, whole, 0, 100)).toEqual(whole);
    expect(moved({ from: 400, to: 403 }, whole, 0, 0.5)).toEqual({ from: 401, to: 402 });
  });
});

describe("arrangement of rows", () => {
  const names = Array.from(
    { length: 120 },
    (_, i) => `net/block_${i >> 3}/dense_${(i >> 1) & 3}/${i & 1 ? "bias" : "kernel"}`,
  );
  test("blocks contain every row once, and there are few of them", () => {
    const blocks = blocksOf(names);
    expect(blocks.length).toBe(15);
    expect(blocks[1]?.name).toBe("net/block_1");
    for (const subset of [names, names.slice(0, 3), Array.from({ length: 1000 }, (_, i) => `w${i}`)]) {
      const blocks = blocksOf(subset);
      expect(blocks.flatMap((b) => b.rows).sort((a, b) => a - b)).toEqual(subset.map((_, i) => i));
      expect(blocks.length).toBeLessThanOrEqual(48);
    }
  });
  test("1,000 variables make 125 blocks; without common parts of their names, 48 chunks", () => {
    const many = Array.from({ length: 1000 }, (_, i) => `net/block_${i >> 3}/w_${i & 7}`);
    expect(blocksOf(many).length).toBe(125);
    expect(blocksOf(many.map((_, i) => `w${i}`)).length).toBe(48);
  });
  test("a block shows its extremes; non-numbers win", () => {
    expect(extreme([1, null, 3, undefined], Math.max)).toBe(3);
    expect(extreme([1, "NaN", 3], Math.max)).toBe("NaN");
    expect(extreme([null, undefined], Math.min)).toBe(null);
  });
  test('"worst first" is the backend\'s order, of names and values alike', () => {
    const worst = [...heatmap.names.keys()].reverse();
    const arranged = arrange({ ...heatmap, worst }, "worst", new Set());
    expect(arranged.names).toEqual([...heatmap.names].reverse());
    expect(arranged.high[0]).toEqual(heatmap.high[heatmap.high.length - 1]);
    expect(toRowOrder("nonsense")).toBe("model");
  });
  test("a verdict marks the rows of an open block, and a closed block itself", () => {
    const cells = names.map((_, i): Cell[] => [i]);
    const many = { ...heatmap, names, low: cells, high: cells, first: [1], last: [1], worst: [] };
    const closed = arrange(many, "block", new Set());
    expect(rowsOf(closed, ["net/block_1/dense_0/bias"])).toEqual([1]);
    expect([closed.low[1], closed.high[1]]).toEqual([[8], [15]]);
    const open = arrange(many, "block", new Set(["net/block_1"]));
    expect(open.names.length).toBe(15 + 8);
    expect(rowsOf(open, ["net/block_1/dense_0/bias"])).toEqual([3]);
  });
});

describe("tables", () => {
  test("formulas become text; commas and quotes survive", () => {
    expect(toCsv([["=1+1", 'a"b', "x,y", -2, null, "-Infinity"]])).toBe(
      `'=1+1,"a""b","x,y",-2,,-Infinity\r\n`,
    );
    expect(
      toTsv([
        ["a\tb", 1],
        ["c", null],
      ]),
    ).toBe("a b\t1\nc\t");
  });
  test("tables contain all numbers of their charts", () => {
    const table = curvesTable(curves as never);
    expect(table.length).toBe(curves.steps.length + 1);
    expect(table[1]?.length).toBe(4 + 3 * curves.curves.length);
    expect(table[0]?.slice(0, 4)).toEqual(["step", "from step", "to step", "recorded steps"]);
    expect(table[1]?.[5]).toBe(curves.curves[0]?.high[0]);
    expect(
      heatmapTable(heatmap)
        .slice(1)
        .map((row) => row[0]),
    ).toEqual(heatmap.names);
    expect(heatmapTable(heatmap)[1]?.slice(1)).toEqual(heatmap.high[0]);
    const [head] = heatmapTable({ ...heatmap, first: [1, 9], last: [1, 16] });
    expect(head?.slice(1)).toEqual([1, "9 to 16"]);
  });
  test("files are named after run, view and steps, in letters that every file system accepts", () => {
    expect(fileName("run-1", "update_ratio", [0, 408])).toBe("run-1_update_ratio_steps-0-408");
    expect(fileName("a/b c:*?", "dense/kernel update_map", [64])).toBe(
      "a-b-c_dense-kernel-update_map_step-64",
    );
    expect(fileName("größe/層", "../\u202eevil\u0000")).toBe("größe-層_evil");
    expect(fileName("..", "", [])).toBe("table");
    const long = fileName("層".repeat(300), "x".repeat(300), [1, 2]);
    expect(new TextEncoder().encode(long).length).toBeLessThanOrEqual(200);
    expect(long.endsWith("_steps-1-2")).toBe(true);
  });
});

describe("comparing", () => {
  test("one colour scale spans all heat maps", () => {
    expect(commonDomain([{ domain: [1, 5] }, { domain: null }, { domain: [0.1, 2] }])).toEqual([0.1, 5]);
    expect(commonDomain([{ domain: null }])).toBe(null);
  });
});

test("a cell of a picture names the lines that it covers", () => {
  expect(formatLines("row", 3, 1, 10)).toBe("row 3");
  expect(formatLines("row", 4, 2, 9)).toBe("row 8");
  expect(formatLines("column", 1, 16, 1000)).toBe("columns 16–31");
});
