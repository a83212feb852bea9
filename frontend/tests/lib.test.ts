import { describe, expect, test } from "vitest";
import type { OverviewAnswer, RunEntry, Status, SymptomAnswer, VerdictAnswer } from "../src/lib/api";
import {
  bucketAt,
  edgesOf,
  logTicks,
  rowAt,
  rowRanges,
  spanOf,
  stepAt,
  ticksOf,
  xOf,
} from "../src/lib/buckets";
import { kindOf, kindsIn, numberOf, position, valueAt } from "../src/lib/cells";
import { cssColour, viridis } from "../src/lib/colour";
import { defaultLaunch, defaultQuantity, defaultRun, defaultVariable } from "../src/lib/defaults";
import { inlineParts, parametersOf } from "../src/lib/explained";
import { ASLEEP_MS, IDLE_MS, isSettled, LIVE_MS, nextDelay } from "../src/lib/poll-delay";
import { comparedRuns, NOTHING, type Selection, sameSelection } from "../src/lib/selection";
import { parseHash, writeHash } from "../src/lib/url";
import {
  findFinding,
  findRule,
  inWords,
  leadingSuspect,
  leadingVerdict,
  otherSymptoms,
} from "../src/lib/verdicts";
import nan from "./payloads/overview-nan.json";
import sick from "./payloads/overview-sick.json";
import suspected from "./payloads/overview-suspected.json";

describe("cells", () => {
  test("each kind is recognized, and zero is special on a log scale only", () => {
    expect(kindOf(null, "log")).toBe("missing");
    expect(kindOf(undefined, "log")).toBe("missing");
    expect(kindOf("NaN", "log")).toBe("nan");
    expect(kindOf("-Infinity", "linear")).toBe("infinite");
    expect(kindOf("None", "share")).toBe("none");
    expect(kindOf(0, "log")).toBe("zero");
    expect(kindOf(-1, "log")).toBe("zero");
    expect(kindOf(0, "linear")).toBe("number");
    expect(numberOf("NaN", "linear")).toBeNull();
  });
  test("the kinds of a heat map are those that it contains", () => {
    const { kinds, hasNegative } = kindsIn([[1, "NaN"], [0]], "log");
    expect([[...kinds].sort(), hasNegative]).toEqual([["nan", "number", "zero"], false]);
    expect(kindsIn([[-1]], "log").hasNegative).toBe(true);
  });
  test("position and value are inverse on every scale, and a flat domain has a middle", () => {
    expect(position(1e-3, [1e-6, 1], "log")).toBeCloseTo(0.5);
    expect(valueAt(0.5, [1e-6, 1], "log")).toBeCloseTo(1e-3);
    expect(position(0.25, [0.2, 0.3], "share")).toBeCloseTo(0.25);
    expect(position(5, [0, 4], "linear")).toBe(1);
    expect(position(1e-10, [1e-10, 1e-10], "log")).toBe(0.5);
  });
});

describe("colour", () => {
  test("the map runs from violet to yellow and gets lighter all the way", () => {
    expect(cssColour(viridis(0))).toBe("rgb(68,1,84)");
    expect(cssColour(viridis(2))).toBe("rgb(253,231,37)");
    const light = Array.from({ length: 50 }, (_, i) => viridis(i / 49)).map(
      ([r, g, b]) => 0.2126 * r + 0.7152 * g + 0.0722 * b,
    );
    expect(light).toEqual([...light].sort((a, b) => a - b));
  });
});

describe("buckets", () => {
  const first = [1, 2, 3, 10, 100];
  const span = { from: 1, to: 200 };
  test("every step is equally wide, the first and the last one, too", () => {
    expect(edgesOf(1, 1, span, 400)).toEqual([0, 2]);
    expect(edgesOf(100, 200, span, 400)).toEqual([198, 400]);
    expect(xOf(1, span, 400)).toBe(1);
    expect([0, 1.9, 2.1, 399.9, -5, 500].map((x) => stepAt(x, span, 400))).toEqual([1, 1, 2, 200, 1, 200]);
    for (const step of [1, 42, 200]) expect(stepAt(xOf(step, span, 500), span, 500)).toBe(step);
  });
  test("the bucket under a step is the last that begins before it", () => {
    expect([0, 1, 2.5, 9, 10, 5000].map((s) => bucketAt(s, first))).toEqual([0, 0, 1, 2, 3, 4]);
    expect(bucketAt(1, [])).toBe(-1);
  });
  test("a pointer outside the rows is on none of them", () => {
    expect([rowAt(0, 18, 3), rowAt(53.9, 18, 3), rowAt(54, 18, 3), rowAt(-1, 18, 3)]).toEqual([0, 2, -1, -1]);
  });
  test("ticks are round, inside, and never closer than a step", () => {
    expect(ticksOf({ from: 1, to: 5000 }, 5)).toEqual([1000, 2000, 3000, 4000, 5000]);
    expect(ticksOf({ from: 1, to: 2 }, 10)).toEqual([1, 2]);
    expect(spanOf([], [])).toEqual({ from: 0, to: 1 });
  });
  test("a log axis is labelled at powers of ten, or at round values between two of them", () => {
    expect(logTicks(1e-6, 1, 4)).toEqual([1e-6, 1e-4, 1e-2, 1]);
    expect(logTicks(0.0017, 0.0056, 3)).toEqual([0.002, 0.005]);
    expect(logTicks(7.1, 9.9, 3)).toEqual([8, 9]);
    expect(logTicks(1.1, 1.9, 3).length).toBe(3);
  });
  test("neighbouring rows are one range", () => {
    expect(rowRanges([3, 1, 2, 7, 2])).toEqual([
      [1, 3],
      [7, 7],
    ]);
  });
});

describe("selection", () => {
  const chosen: Selection = {
    ...NOTHING,
    run: "a/b c&d=é",
    quantity: "update_ratio",
    variable: "w:0",
    steps: { from: 3, to: 70 },
    order: "block",
    compare: ["b", "c/d"],
    link: "optimizer",
    sort: "severity",
    runFilter: "^a|b&=$",
    verdict: "nonfinite-loss",
    variableFilter: "dense_*/kernel",
  };
  test("what is written to the address is read again, and the parts of other plugins stay", () => {
    const hash = writeHash("#weightwatch&p.other.x=1&p.weightwatch.launch=old", chosen);
    expect(hash.startsWith("#weightwatch&p.other.x=1&")).toBe(true);
    expect(parseHash(hash)).toEqual(chosen);
    expect(writeHash(hash, NOTHING)).toBe("#weightwatch&p.other.x=1");
  });
  test("an invalid address is an empty choice", () => {
    expect(parseHash("#p.weightwatch.run=%E0%A4%A&=&&x")).toEqual(NOTHING);
    expect(parseHash("#p.weightwatch.order=constructor")).toEqual(NOTHING);
    for (const [from, to] of [
      ["", "7"],
      ["20", "10"],
      ["x", "7"],
      ["5", "5"],
    ])
      expect(parseHash(`#p.weightwatch.from=${from}&p.weightwatch.to=${to}`)).toEqual(NOTHING);
  });
  test("two selections are the same if all their values are", () => {
    expect(sameSelection(chosen, { ...chosen, steps: { from: 3, to: 70 }, compare: ["b", "c/d"] })).toBe(
      true,
    );
    const changes: Partial<Selection>[] = [
      { launch: "x" },
      { steps: null },
      { steps: { from: 3, to: 71 } },
      { order: "worst" },
      { compare: ["b"] },
      { link: "" },
      { sort: "name" },
      { runFilter: "" },
      { verdict: "" },
      { variableFilter: "" },
    ];
    for (const change of changes) expect(sameSelection(chosen, { ...chosen, ...change })).toBe(false);
  });
  test("a run is not compared with itself", () => {
    expect(comparedRuns({ ...NOTHING, run: "a", compare: ["a", "b"] })).toEqual(["b"]);
  });
});

describe("polling", () => {
  test("the delay is constant while training; otherwise and after failures it doubles up to 30 s", () => {
    const idle = (unchanged: number) => nextDelay({ training: false, unchanged, failures: 0 });
    expect(nextDelay({ training: true, unchanged: 99, failures: 0 })).toBe(LIVE_MS);
    expect([0, 1, 2, 9].map(idle)).toEqual([LIVE_MS, 2 * LIVE_MS, 4 * LIVE_MS, ASLEEP_MS]);
    expect(nextDelay({ training: true, unchanged: 0, failures: 9 })).toBe(IDLE_MS);
  });
  test("an ended launch is settled after two polls without news", () => {
    expect(isSettled({ training: true, unchanged: 9, failures: 0 })).toBe(false);
    expect([0, 1, 2].map((unchanged) => isSettled({ training: false, unchanged, failures: 0 }))).toEqual([
      false,
      false,
      true,
    ]);
  });
});

describe("defaults", () => {
  const entry = (run: string, started: number, status: Status): RunEntry => ({
    run,
    label: run,
    launches: [
      {
        launch: `${run}-1`,
        started,
        state: "ended",
        state_text: "",
        last_step: 1,
        status,
        severity: "none",
        headline: "",
      },
    ],
  });
  const runs = [entry("old", 1, "sick"), entry("mid", 2, "sick"), entry("new", 3, "healthy")];
  test("the default run is the newest sick one, else the newest; a chosen run that exists is kept", () => {
    expect(defaultRun(runs, "")).toBe("mid");
    expect(defaultRun(runs, "new")).toBe("new");
    expect(defaultRun(runs, "gone")).toBe("mid");
    expect(defaultRun([entry("a", 1, "healthy"), entry("b", 2, "undecided")], "")).toBe("b");
    expect(defaultRun([], "x")).toBe("");
    expect(defaultRun([{ run: "bare", label: "bare", launches: [] }], "")).toBe("bare");
    expect(defaultLaunch(runs, "old", "old-1")).toBe("old-1");
    expect(defaultLaunch(runs, "old", "gone")).toBe("");
  });
  test("the default quantity is the first with rows, the default variable the first of the first verdict", () => {
    const overview = sick as OverviewAnswer;
    expect(defaultQuantity(overview, "")).toBe(overview.quantities.find((q) => q.axis !== "run")?.name);
    expect(defaultQuantity(overview, "loss")).not.toBe("loss");
    expect(defaultVariable(overview, "")).toBe(overview.verdicts[0]?.variables[0]);
    expect(defaultVariable(nan as OverviewAnswer, "")).toBe(nan.variables[0]?.name);
  });
});

test("each term of the equation belongs to a link of the chain, or to none", () => {
  const { chain, equation } = sick as OverviewAnswer;
  const links = new Set(["", ...chain.map((l) => l.link)]);
  const terms = [...equation.left, ...equation.update, ...(equation.brace ? [equation.brace] : [])];
  expect(terms.filter(({ link }) => !links.has(link))).toEqual([]);
  expect(equation.update.map(({ symbol }) => symbol)).toContain("lr");
});

test("each check of a link is found among those that passed or could not tell, by its name in words", () => {
  for (const overview of [sick, nan, suspected] as OverviewAnswer[]) {
    for (const link of overview.chain) {
      for (const code of link.passed) expect(overview.passed).toContain(findRule(overview, code));
      for (const code of link.unknown) expect(overview.unknown).toContain(findRule(overview, code));
    }
  }
  expect(findRule(sick as OverviewAnswer, -1)).toBe(null);
  expect(inWords("single-sample-batch-norm")).toBe("single sample batch norm");
});

test("a verdict is found by its code, also below the one that explains it", () => {
  const overview = sick as OverviewAnswer;
  const [cause] = overview.verdicts;
  const [consequence] = cause?.explains ?? [];
  expect(findFinding(overview, cause?.code ?? -1)).toBe(cause);
  expect(consequence).toBeDefined();
  expect(findFinding(overview, consequence?.code ?? -1)).toBe(consequence);
  expect(findFinding(overview, -1)).toBe(null);
});

describe("a run without a verdict", () => {
  const overview = suspected as OverviewAnswer;
  const [symptom] = overview.symptoms;
  const note = { ...(sick as OverviewAnswer).verdicts[0], severity: "info" } as VerdictAnswer;

  test("a suspect is found by its code, before a note of the same rule", () => {
    const [suspect] = overview.suspects;
    const noted = { ...overview, verdicts: [{ ...note, code: suspect?.code ?? 0 }] };
    expect(findFinding(noted, suspect?.code ?? -1)).toBe(suspect);
  });
  test("a note leads only where the run is not sick", () => {
    expect(leadingVerdict({ ...overview, verdicts: [note] })).toBe(null);
    expect(leadingVerdict({ ...overview, status: "healthy", verdicts: [note] })).toBe(note);
    expect(leadingVerdict(sick as OverviewAnswer)).toBe(sick.verdicts[0]);
  });
  test("the suspect beside the sentence is the first that is not refuted, and none where a verdict leads", () => {
    const [first, second] = overview.suspects;
    if (!first) throw new Error("a suspect");
    expect(leadingSuspect(overview)).toBe(first);
    const refuted = { ...first, outcome: "refuted" as const };
    expect(leadingSuspect({ ...overview, suspects: [refuted, ...overview.suspects.slice(1)] })).toBe(second);
    expect(leadingSuspect({ ...overview, suspects: [refuted] })).toBe(null);
    expect(leadingSuspect({ ...(sick as OverviewAnswer), suspects: overview.suspects })).toBe(null);
  });

  test("symptoms that the sentence does not tell are listed, unless a verdict leads", () => {
    const other = { ...(symptom as SymptomAnswer), name: "flat-loss", message: "The loss is flat" };
    const symptoms = [...overview.symptoms, other];
    expect(otherSymptoms(overview)).toEqual([]);
    expect(otherSymptoms({ ...overview, symptoms })).toEqual([other]);
    expect(otherSymptoms({ ...(sick as OverviewAnswer), symptoms })).toEqual([]);
  });
  test("the shown variable is one that the symptom names", () => {
    const name = overview.variables[2]?.name as string;
    const named = { ...overview, symptoms: [{ ...(symptom as SymptomAnswer), variables: [name] }] };
    expect(defaultVariable(named, "")).toBe(name);
  });
});

describe("explanations", () => {
  test("a request names the rule or the quantity", () => {
    expect(parametersOf({ rule: 502 })).toEqual({ rule: "502", quantity: "" });
    expect(parametersOf({ quantity: "loss" })).toEqual({ rule: "", quantity: "loss" });
  });

  test("words between backticks are code; a single backtick is none", () => {
    expect(inlineParts("set `x = 1` or `y`")).toEqual([
      { kind: "text", text: "set " },
      { kind: "code", text: "x = 1" },
      { kind: "text", text: " or " },
      { kind: "code", text: "y" },
    ]);
    expect(inlineParts("don`t")).toEqual([{ kind: "text", text: "don`t" }]);
  });
});
