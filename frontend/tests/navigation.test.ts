import { describe, expect, test } from "vitest";
import type { HeatmapAnswer, LaunchEntry, RunEntry, Severity, Status } from "../src/lib/api";
import { parseNameFilter } from "../src/lib/name-filter";
import { costProblem } from "../src/lib/regex-cost";
import { emptyText, filterRows } from "../src/lib/row-filter";
import { sortRuns, toRunOrder } from "../src/lib/run-order";
import { changedKeys, loadNeeded, NOTHING } from "../src/lib/selection";
import { shortNames } from "../src/lib/short-names";
import { isOwnHash } from "../src/lib/url";
import heatmap from "./payloads/heatmap.json";

describe("filters by name", () => {
  const names = ["dense_1/kernel", "dense_12/kernel", "enc/dense_1/bias", "my_dense_1/kernel", "lr+wd (2)"];
  const matching = (typed: string) => names.filter(parseNameFilter(typed).matches);

  test.each([
    ["", "none", names],
    ["DENSE_12", "text", ["dense_12/kernel"]],
    ["1/k", "text", ["dense_1/kernel", "my_dense_1/kernel"]],
    ["dense_*/kernel", "glob", ["dense_1/kernel", "dense_12/kernel"]],
    ["dense_?", "glob", ["dense_1/kernel", "enc/dense_1/bias"]],
    ["*[!1]/kernel", "glob", ["dense_12/kernel"]],
    ["kernel$", "regex", ["dense_1/kernel", "dense_12/kernel", "my_dense_1/kernel"]],
    ["^dense_[12]", "regex", ["dense_1/kernel", "dense_12/kernel"]],
    ["bias|12", "regex", ["dense_12/kernel", "enc/dense_1/bias"]],
    ["dense.*bias", "regex", ["enc/dense_1/bias"]],
    ["lr+wd (2)", "regex", ["lr+wd (2)"]], // the name itself
  ])("%j is a %s", (typed, kind, expected) => {
    expect(parseNameFilter(typed).kind).toBe(kind);
    expect(matching(typed)).toEqual(expected);
  });

  test("an invalid pattern says so and filters nothing", () => {
    for (const [typed, error] of [
      ["dense_(", "Invalid regular expression: Unterminated group"],
      ["[z-a]*", "Invalid glob: Range out of order in character class"],
      [
        "(\\w+_?)+kernel$",
        "Invalid regular expression: a repeated group contains a repetition or alternatives itself",
      ],
      [`^${"a".repeat(200)}`, "Invalid regular expression: longer than 200 letters"],
    ] as const) {
      expect(parseNameFilter(typed)).toMatchObject({ kind: "invalid", error });
      expect(matching(typed)).toEqual(names);
    }
  });

  test.each([
    ["(a+)+", true],
    ["(a|b)*", true],
    ["((ab?)c){2,}", true],
    ["(?:[)]+){3}", true],
    ["(?<part>a*)+", true],
    ["a.*b.*c.+d.*e{2,}", true],
    ["a.*b.*c.+d.*e{2,3}", false],
    ["(a+)?", false],
    ["(a|b)c+", false],
    ["(?:ab)+", false],
    ["([+*]\\+)+", false],
    ["(?=a)b+", false],
    ["(a{)+", false], // a brace, no quantifier
  ])("whether %j could keep the browser busy: %s", (source, expected) => {
    expect(new RegExp(source).source).toBe(source); // valid
    expect(costProblem(source) !== "").toBe(expected);
  });

  test("a glob of many stars is matched without trying all ways", () => {
    const many = parseNameFilter(`${"*a".repeat(40)}b`);
    expect(many.matches(`${"a".repeat(400)}b`)).toBe(true);
    expect(many.matches("a".repeat(400))).toBe(false);
    expect(["x]", "xa", "xb"].filter(parseNameFilter("x[]a]*").matches)).toEqual(["x]", "xa"]);
  });

  test("rows of the heat map keep their values and their order of badness", () => {
    const all = heatmap as HeatmapAnswer;
    const kept = filterRows(all, parseNameFilter("kernel"));
    expect(kept.names.length).toBeGreaterThan(0);
    expect(kept.names.length).toBeLessThan(all.names.length);
    kept.names.forEach((name, row) => {
      expect(kept.high[row]).toBe(all.high[all.names.indexOf(name)]);
    });
    const worst = all.worst.map((row) => all.names[row]).filter((name) => name?.includes("kernel"));
    expect(kept.worst.map((row) => kept.names[row])).toEqual(worst);
    expect(filterRows(all, parseNameFilter(""))).toBe(all);
  });

  test("a heat map without cells says why", () => {
    const all = heatmap as HeatmapAnswer;
    const outside = { ...all, covered: [], first: [], last: [], recorded: [] };
    expect(emptyText(undefined)).toBe("Loading …");
    expect(emptyText(all)).toBe("");
    expect(emptyText(outside)).toBe("No data in this range");
    expect(emptyText({ ...outside, covered: all.covered })).toBe(""); // a gap is drawn
    expect(emptyText(filterRows(all, parseNameFilter("no such name")))).toBe(
      "No variable or layer matches the search",
    );
  });
});

describe("the order of runs", () => {
  const run = (label: string, started: number, last_step: number, status: Status, severity: Severity) => ({
    run: label,
    label,
    launches: [{ started, last_step, status, severity } as LaunchEntry],
  });
  const runs: RunEntry[] = [
    run("run-10", 4, 100, "healthy", "none"),
    run("run-2", 1, 300, "sick", "warning"),
    run("run-3", 3, 200, "undecided", "none"),
    run("run-1", 2, 100, "sick", "error"),
    { run: "run-4", label: "run-4", launches: [] },
  ];
  test.each([
    ["name", [1, 2, 3, 4, 10]],
    ["severity", [1, 2, 3, 10, 4]],
    ["time", [10, 3, 1, 2, 4]],
    ["step", [2, 3, 1, 10, 4]],
  ] as const)("by %s", (order, expected) => {
    expect(sortRuns(runs, order).map(({ label }) => Number(label.slice(4)))).toEqual(expected);
  });
  test("an unknown order is that by name", () => {
    expect([toRunOrder("step"), toRunOrder("constructor"), toRunOrder("")]).toEqual(["step", "name", "name"]);
  });
});

describe("short names", () => {
  test("short ones stay, others are cut in the middle", () => {
    const names = ["a", "experiments/of-november/one", "experiments/of-november/two"];
    expect(shortNames(names, 16)).toEqual(["a", "experi…ember/one", "experi…ember/two"]);
  });
  test("names that differ in several words keep these", () => {
    const name = (optimizer: string, warmup: number, seed: number) =>
      `sweeps/2026/resnet-${optimizer}-batch-256-warmup-${warmup}-decay-1e-4-on-imagenet/seed-${seed}`;
    const names = [name("adam", 1, 1), name("sgd", 1, 1), name("adam", 2, 1), name("adam", 1, 2)];
    expect(shortNames(names, 40)).toEqual([
      "sweep…resnet-adam…warmup-1…seed-1",
      "sweep…resnet-sgd…warmup-1…seed-1",
      "sweep…resnet-adam…warmup-2…seed-1",
      "sweep…resnet-adam…warmup-1…seed-2",
    ]);
    expect(shortNames(names, 24)[1]).toBe("sweep…sgd…1…1");
  });
  test("where no cut tells them apart they stay whole", () => {
    const names = ["a", "b"].map((letter) => `${"x".repeat(30)}${letter}${"x".repeat(30)}`);
    expect(shortNames(names, 20)).toEqual(names);
  });
});

describe("what a changed selection needs", () => {
  test("a run its overview, a quantity its details, an order nothing", () => {
    const needed = (patch: Partial<typeof NOTHING>) =>
      loadNeeded(changedKeys(NOTHING, { ...NOTHING, ...patch }));
    expect(needed({ run: "a", quantity: "q" })).toBe("overview");
    expect(needed({ launch: "a" })).toBe("overview");
    expect(needed({ steps: { from: 1, to: 2 }, compare: ["a"] })).toBe("details");
    expect(needed({ steps: { from: 1, to: 2 }, link: "data" })).toBe("zoom");
    expect(needed({ order: "worst", sort: "step", runFilter: "a", variableFilter: "b" })).toBe("nothing");
    expect(needed({})).toBe("nothing");
  });
});

describe("the address", () => {
  test("of another tab is not the panel's", () => {
    expect(["", "#", "#weightwatch", "#weightwatch&p.weightwatch.run=a", "#p.x=1"].map(isOwnHash)).toEqual(
      Array(5).fill(true),
    );
    expect(isOwnHash("#scalars&p.weightwatch.run=a")).toBe(false);
  });
});
