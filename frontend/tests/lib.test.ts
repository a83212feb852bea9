import { describe, expect, test } from "vitest";
import type { LinkAnswer, OverviewAnswer, RunEntry, Status } from "../src/lib/api";
import {
  bucketAt,
  bucketEnding,
  edgesOf,
  logTicks,
  rowAt,
  spanOf,
  stepAt,
  stretches,
  ticksOf,
  xOf,
} from "../src/lib/buckets";
import { kindOf, kindsIn, numberOf, position, valueAt } from "../src/lib/cells";
import { css, viridis } from "../src/lib/colour";
import { chooseLaunch, chooseQuantity, chooseRun, chooseVariable, step } from "../src/lib/defaults";
import { linkOf } from "../src/lib/equation";
import * as format from "../src/lib/format";
import { ASLEEP_MS, IDLE_MS, isSettled, LIVE_MS, nextDelay } from "../src/lib/poll-delay";
import { NOTHING, parseHash, writeHash } from "../src/lib/url";
import nan from "./payloads/overview-nan.json";
import sick from "./payloads/overview-sick.json";

describe("texts", () => {
  test("a share is read in percent, and only all is 100 %", () => {
    const share = { scale: "share", unit: "share" } as const;
    expect([0, 1, 0.5, 0.99999].map(format.formatShare)).toEqual(["0 %", "100 %", "50 %", "> 99.9 %"]);
    expect(format.formatRange(0, 0.25, share)).toBe("0 % to 25 %");
    expect(format.formatRange("NaN", "NaN", share)).toBe("NaN");
    expect(format.formatValue(3, { scale: "linear", unit: "elements" })).toBe("3 elements");
  });
  test("a full stop makes no difference, a word does; an arrow stays with its numbers", () => {
    expect(format.sameText("It is so. ", "It is so")).toBe(true);
    expect(format.sameText("It is so.", "It is not so.")).toBe(false);
    expect(format.prose("loss 2 -> 1")).toBe("loss 2\u00a0→\u00a01");
  });
});

describe("cells", () => {
  test("each kind is told apart, and zero has no place on a log scale only", () => {
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
  test("a legend names the kinds that are there", () => {
    const { kinds, below } = kindsIn([[1, "NaN"], [0]], "log");
    expect([[...kinds].sort(), below]).toEqual([["nan", "number", "zero"], false]);
    expect(kindsIn([[-1]], "log").below).toBe(true);
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
    expect(css(viridis(0))).toBe("rgb(68,1,84)");
    expect(css(viridis(2))).toBe("rgb(253,231,37)");
    const light = Array.from({ length: 50 }, (_, i) => viridis(i / 49)).map(
      ([r, g, b]) => 0.2126 * r + 0.7152 * g + 0.0722 * b,
    );
    expect(light).toEqual([...light].sort((a, b) => a - b));
  });
});

describe("format", () => {
  test("numbers are short and keep their order of magnitude", () => {
    expect([0, 8.1e-11, 0.31, 2.298, 5000, 1e-3, 123456.7, -0.5].map(format.formatNumber)).toEqual([
      "0",
      "8.1e-11",
      "0.31",
      "2.3",
      "5,000",
      "0.001",
      "1.23e5",
      "−0.5",
    ]);
    expect(format.formatCell("-Infinity")).toBe("-∞");
    expect(format.formatCell(null)).toBe("not recorded");
    expect(format.formatTick(1500000)).toBe("1.5M");
  });
  test("names lose what hides or reorders others, and nothing else", () => {
    expect(format.cleanName("a\u202eb\u0000c\u200b<b>\n")).toBe("abc<b>");
    expect(format.cleanName("größe/層/κ")).toBe("größe/層/κ");
    expect(format.cleanText("a\r\n\tb\u2066")).toBe("a\n    b");
  });
  test("a long name keeps its beginning and, rather, its end", () => {
    const short = format.ellipsis("encoder/block_3/attention/kernel", 16);
    expect([...short].length).toBe(16);
    expect(short.endsWith("on/kernel")).toBe(true);
    expect(format.ellipsis("short", 16)).toBe("short");
  });
  test("a path keeps what tells one block from the next", () => {
    const names = ["encoder/block_0/attention/query/kernel", "encoder/block_12/attention/query/kernel"];
    expect(format.sharedStart(names)).toBe("encoder/");
    expect(format.sharedStart(["dense/kernel", "dense/bias"])).toBe("dense/");
    expect(format.sharedStart(["dense/kernel"])).toBe("");
    expect(format.sharedStart(["block_1/kernel", "block_10/kernel"])).toBe("");
    expect(format.shortPath("block_12/attention/query/kernel", 26)).toBe("block_12/att…/query/kernel");
    expect(format.shortPath(names[1] as string, 34)).toBe("encoder/block_12/att…/query/kernel");
    expect(format.shortPath(names[1] as string, 14)).toBe(format.ellipsis(names[1] as string, 14));
    expect(format.shortPath("dense/kernel", 26)).toBe("dense/kernel");
  });
  test("no line of prose breaks before a percent sign or at an arrow", () => {
    expect(format.prose("more than 10 %: 2 -> 1")).toBe("more than 10\u00a0%: 2\u00a0→\u00a01");
  });
  test("a fix falls into prose and code", () => {
    expect(format.splitFix("Do\nthis:\n\n    a = 1\n\n    b = 2\nThen that.")).toEqual([
      { kind: "text", text: "Do this:" },
      { kind: "code", text: "a = 1\n\nb = 2" },
      { kind: "text", text: "Then that." },
    ]);
    expect(format.splitFix("")).toEqual([]);
  });
});

describe("buckets", () => {
  const first = [1, 2, 3, 10, 100];
  const span = spanOf(first, [1, 2, 9, 99, 200]);
  test("a bucket reaches to the next one, the last to the end", () => {
    const edges = edgesOf(first, [1, 2, 9, 99, 200], span, 199);
    expect(edges).toEqual([0, 1, 2, 9, 99, 199]);
    expect(stepAt(xOf(42, span, 500), span, 500)).toBeCloseTo(42);
    expect(stepAt(-5, span, 500)).toBe(1);
  });
  test("the bucket under a step is the last that begins before it", () => {
    expect([0, 1, 2.5, 9, 10, 5000].map((s) => bucketAt(s, first))).toEqual([0, 0, 1, 2, 3, 4]);
    expect(bucketAt(1, [])).toBe(-1);
  });
  test("a curve, known by the last step of each bucket, counts the same buckets", () => {
    const last = [1, 2, 9, 99, 200];
    expect([0, 1, 1.5, 9, 10, 5000].map((s) => bucketEnding(s, last))).toEqual([0, 0, 1, 2, 3, 4]);
    expect(bucketEnding(1, [])).toBe(-1);
  });
  test("a pointer outside of the rows hits none", () => {
    expect([rowAt(0, 18, 3), rowAt(53.9, 18, 3), rowAt(54, 18, 3), rowAt(-1, 18, 3)]).toEqual([0, 2, -1, -1]);
  });
  test("ticks are round, inside, and never closer than a step", () => {
    expect(ticksOf({ from: 1, to: 5000 }, 5)).toEqual([1000, 2000, 3000, 4000, 5000]);
    expect(ticksOf({ from: 1, to: 2 }, 10)).toEqual([1, 2]);
    expect(spanOf([], [])).toEqual({ from: 0, to: 1 });
  });
  test("a log axis is labelled at powers of ten, or at round values between two", () => {
    expect(logTicks(1e-6, 1, 4)).toEqual([1e-6, 1e-4, 1e-2, 1]);
    expect(logTicks(0.0017, 0.0056, 3)).toEqual([0.002, 0.005]);
    expect(logTicks(7.1, 9.9, 3)).toEqual([8, 9]);
    expect(logTicks(1.1, 1.9, 3).length).toBe(3);
  });
  test("neighbouring rows join", () => {
    expect(stretches([3, 1, 2, 7, 2])).toEqual([
      [1, 3],
      [7, 7],
    ]);
  });
});

describe("address", () => {
  const chosen = {
    ...NOTHING,
    run: "a/b c&d=é",
    quantity: "update_ratio",
    variable: "w:0",
    from: "3",
    to: "70",
    order: "block",
    compare: "b\nc/d",
  };
  test("what is written is read again, and foreign parts stay", () => {
    const hash = writeHash("#weightwatch&p.other.x=1&p.weightwatch.launch=old", chosen);
    expect(hash.startsWith("#weightwatch&p.other.x=1&")).toBe(true);
    expect(parseHash(hash)).toEqual(chosen);
    expect(writeHash(hash, NOTHING)).toBe("#weightwatch&p.other.x=1");
  });
  test("a broken hash is an empty choice", () => {
    expect(parseHash("#p.weightwatch.run=%E0%A4%A&=&&x")).toEqual(NOTHING);
  });
});

describe("polling", () => {
  test("steady while training, doubling up to 30 s otherwise and after failures", () => {
    const idle = (unchanged: number) => nextDelay({ training: false, unchanged, failures: 0 });
    expect(nextDelay({ training: true, unchanged: 99, failures: 0 })).toBe(LIVE_MS);
    expect([0, 1, 2, 9].map(idle)).toEqual([LIVE_MS, 2 * LIVE_MS, 4 * LIVE_MS, ASLEEP_MS]);
    expect(nextDelay({ training: true, unchanged: 0, failures: 9 })).toBe(IDLE_MS);
  });
  test("an ended launch is asked for no more once it stays as it is", () => {
    expect(isSettled({ training: true, unchanged: 9, failures: 0 })).toBe(false);
    expect([0, 1, 2].map((unchanged) => isSettled({ training: false, unchanged, failures: 0 }))).toEqual([
      false,
      false,
      true,
    ]);
  });
});

describe("choice", () => {
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
  test("the newest sick run, else the newest, unless a run that exists was chosen", () => {
    expect(chooseRun(runs, "")).toBe("mid");
    expect(chooseRun(runs, "new")).toBe("new");
    expect(chooseRun(runs, "gone")).toBe("mid");
    expect(chooseRun([entry("a", 1, "healthy"), entry("b", 2, "undecided")], "")).toBe("b");
    expect(chooseRun([], "x")).toBe("");
    expect(chooseRun([{ run: "bare", label: "bare", launches: [] }], "")).toBe("bare");
    expect(chooseLaunch(runs, "old", "old-1")).toBe("old-1");
    expect(chooseLaunch(runs, "old", "gone")).toBe("");
  });
  test("the first quantity that has rows, and the first variable that the first verdict names", () => {
    const overview = sick as OverviewAnswer;
    expect(chooseQuantity(overview, "")).toBe(overview.quantities.find((q) => q.axis !== "run")?.name);
    expect(chooseQuantity(overview, "loss")).not.toBe("loss");
    expect(chooseVariable(overview, "")).toBe(overview.verdicts[0]?.variables[0]);
    expect(chooseVariable(nan as OverviewAnswer, "")).toBe(nan.variables[0]?.name);
  });
  test("a step in a list stays inside it", () => {
    expect(["a", "b"].map((at) => step(["a", "b"], at, 1))).toEqual(["b", "b"]);
    expect(step(["a", "b"], "gone", 1)).toBe("a");
  });
});

test("each part of the equation finds its link by its symbol", () => {
  const chain = sick.chain as LinkAnswer[];
  expect(linkOf(chain, "lr")?.link).toBe("optimizer");
  expect(linkOf(chain, "gradient")?.link).toBe("gradient");
  expect(linkOf(chain, "step")?.link).toBe("update");
});
