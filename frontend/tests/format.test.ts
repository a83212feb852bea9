import { describe, expect, test } from "vitest";
import type { Cell } from "../src/lib/api";
import * as format from "../src/lib/format";
import numbers from "./numbers.json";

describe("texts", () => {
  test("shares are percent, and only a share of 1 is 100 %", () => {
    const share = { scale: "share", unit: "share" } as const;
    expect([0, 1, 0.5, 0.99999].map(format.formatShare)).toEqual(["0 %", "100 %", "50 %", "> 99.9 %"]);
    expect(format.formatRange(0, 0.25, share)).toBe("0 % to 25 %");
    expect(format.formatRange("NaN", "NaN", share)).toBe("NaN");
    expect(format.formatValue(3, { scale: "linear", unit: "elements" })).toBe("3 elements");
  });
  test("a full stop makes no difference, a word does; no line breaks at an arrow", () => {
    expect(format.sameText("It is so. ", "It is so")).toBe(true);
    expect(format.sameText("It is so.", "It is not so.")).toBe(false);
    expect(format.prose("loss 2 -> 1")).toBe("loss 2\u00a0→\u00a01");
  });
});

describe("format", () => {
  test("numbers and shares are written as by the backend", () => {
    for (const [value, text] of numbers.numbers)
      expect([value, format.formatNumber(Number(value))]).toEqual([value, text]);
    for (const [share, text] of numbers.shares)
      expect([share, format.formatShare(Number(share))]).toEqual([share, text]);
  });
  test("a cell is its number, its kind of non-number, or not recorded", () => {
    expect([0.0012, "-Infinity", "NaN", "None", null].map((cell) => format.formatCell(cell as Cell))).toEqual(
      ["1.2e-3", "-Inf", "NaN", "None", "not recorded"],
    );
  });
  test("the ticks of an axis have as many digits as tell them apart", () => {
    expect(format.formatTicks([1e-4, 1e-2, 1])).toEqual(["1e-4", "0.01", "1"]);
    expect(format.formatTicks([1.2345, 1.2346, 1.2347])).toEqual(["1.2345", "1.2346", "1.2347"]);
    expect(format.formatTicks([1500000, 25000, 12345])).toEqual(["1.5e6", "25,000", "12,345"]);
  });
  test("names lose invisible and reordering characters, and nothing else", () => {
    expect(format.cleanName("a\u202eb\u0000c\u200b<b>\n")).toBe("abc<b>");
    expect(format.cleanName("größe/層/κ")).toBe("größe/層/κ");
    expect(format.cleanText("a\r\n\tb\u2066")).toBe("a\n    b");
  });
  test("a long name keeps its beginning and more of its end", () => {
    const short = format.ellipsis("encoder/block_3/attention/kernel", 16);
    expect([...short].length).toBe(16);
    expect(short.endsWith("on/kernel")).toBe(true);
    expect(format.ellipsis("short", 16)).toBe("short");
  });
  test("a path keeps the numbers of its blocks", () => {
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
  test("a text is split into paragraphs and code", () => {
    expect(format.splitBlocks("Do\nthis:\n\n    a = 1\n\n    b = 2\nThen that.")).toEqual([
      { kind: "text", text: "Do this:" },
      { kind: "code", text: "a = 1\n\nb = 2" },
      { kind: "text", text: "Then that." },
    ]);
    expect(format.splitBlocks("")).toEqual([]);
  });
});
