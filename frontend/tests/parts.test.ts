// Zoom, order of rows, tables as text, comparing: the parts of the panel that are pure.
import { describe, expect, test } from "vitest";
import type { Cell, HeatmapAnswer } from "../src/lib/api";
import { moved, zoomed } from "../src/lib/buckets";
import { curvesTable, mapTable, toCsv, toTsv } from "../src/lib/csv";
import { arrange, blocksOf, commonDomain, extreme, orderOf, rowsFor } from "../src/lib/row-arrangement";
import { compared, NOTHING } from "../src/lib/url";
import { lines } from "../src/views/motion-map";
import curves from "./payloads/curves-variable.json";
import heatmap from "./payloads/heatmap.json";

const map = heatmap as unknown as HeatmapAnswer;
const whole = { from: 1, to: 1000 };

describe("zoom", () => {
  test("a part that is chosen lies inside the whole; nonsense is the whole", () => {
    expect(zoomed(whole, "10", "20")).toEqual({ from: 10, to: 20 });
    expect(zoomed(whole, "-5", "5000")).toEqual(whole);
    for (const [from, to] of [
      ["", ""],
      ["20", "10"],
      ["x", "7"],
      ["5", "5"],
      ["2000", "3000"],
    ] as const)
      expect(zoomed(whole, from, to)).toEqual(whole);
  });
  test("moving and widening never leave the whole and never end on half a step", () => {
    expect(moved({ from: 101, to: 201 }, whole, 0.5)).toEqual({ from: 151, to: 251 });
    expect(moved({ from: 1, to: 101 }, whole, -3)).toEqual({ from: 1, to: 101 });
    expect(moved({ from: 900, to: 1000 }, whole, 3)).toEqual({ from: 900, to: 1000 });
    expect(moved({ from: 101, to: 201 }, whole, 0, 100)).toEqual(whole);
    expect(moved({ from: 400, to: 403 }, whole, 0, 0.5)).toEqual({ from: 401, to: 402 });
  });
});

describe("order of rows", () => {
  const names = Array.from(
    { length: 120 },
    (_, i) => `net/block_${i >> 3}/dense_${(i >> 1) & 3}/${i & 1 ? "bias" : "kernel"}`,
  );
  test("blocks hold every row once, and are a handful", () => {
    const blocks = blocksOf(names);
    expect(blocks.length).toBe(15);
    expect(blocks[1]?.name).toBe("net/block_1");
    for (const some of [names, names.slice(0, 3), Array.from({ length: 1000 }, (_, i) => `w${i}`)]) {
      const found = blocksOf(some);
      expect(found.flatMap((b) => b.rows).sort((a, b) => a - b)).toEqual(some.map((_, i) => i));
      expect(found.length).toBeLessThanOrEqual(48);
    }
  });
  test("a thousand variables are a hundred and twenty-five blocks; names that tell nothing, 48 chunks", () => {
    const many = Array.from({ length: 1000 }, (_, i) => `net/block_${i >> 3}/w_${i & 7}`);
    expect(blocksOf(many).length).toBe(125);
    expect(blocksOf(many.map((_, i) => `w${i}`)).length).toBe(48);
  });
  test("a block shows its extremes; what is no number wins", () => {
    expect(extreme([1, null, 3, undefined], Math.max)).toBe(3);
    expect(extreme([1, "NaN", 3], Math.max)).toBe("NaN");
    expect(extreme([null, undefined], Math.min)).toBe(null);
  });
  test("worst first takes the backend's order, values with their names", () => {
    const worst = [...map.names.keys()].reverse();
    const found = arrange({ ...map, worst }, "worst", new Set());
    expect(found.names).toEqual([...map.names].reverse());
    expect(found.high[0]).toEqual(map.high[map.high.length - 1]);
    expect(orderOf("nonsense")).toBe("");
  });
  test("an open block shows its rows, and a verdict marks them; a closed one is marked itself", () => {
    const cells = names.map((_, i): Cell[] => [i]);
    const many = { ...map, names, low: cells, high: cells, first: [1], last: [1], worst: [] };
    const closed = arrange(many, "block", new Set());
    expect(rowsFor(closed, ["net/block_1/dense_0/bias"])).toEqual([1]);
    expect([closed.low[1], closed.high[1]]).toEqual([[8], [15]]);
    const open = arrange(many, "block", new Set(["net/block_1"]));
    expect(open.names.length).toBe(15 + 8);
    expect(rowsFor(open, ["net/block_1/dense_0/bias"])).toEqual([3]);
  });
});

describe("tables", () => {
  test("text that a spreadsheet would run is text; commas and quotes survive", () => {
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
  test("charts keep all their numbers", () => {
    const table = curvesTable(curves as never);
    expect(table.length).toBe(curves.steps.length + 1);
    expect(table[1]?.length).toBe(1 + 3 * curves.curves.length);
    expect(table[1]?.[2]).toBe(curves.curves[0]?.high[0]);
    expect(
      mapTable(map)
        .slice(1)
        .map((row) => row[0]),
    ).toEqual(map.names);
    expect(mapTable(map)[1]?.slice(1)).toEqual(map.high[0]);
  });
});

describe("comparing", () => {
  test("a run is not compared with itself", () => {
    expect(compared({ ...NOTHING, run: "a", compare: "a\nb\n" })).toEqual(["b"]);
  });
  test("one scale spans all maps", () => {
    expect(commonDomain([{ domain: [1, 5] }, { domain: null }, { domain: [0.1, 2] }])).toEqual([0.1, 5]);
    expect(commonDomain([{ domain: null }])).toBe(null);
  });
});

test("a part of a picture says which lines it stands for", () => {
  expect(lines("row", 3, 1, 10)).toBe("row 3");
  expect(lines("row", 4, 2, 9)).toBe("row 8");
  expect(lines("column", 1, 16, 1000)).toBe("columns 16–31");
});
