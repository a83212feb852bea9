import { describe, expect, test } from "vitest";
import * as format from "../src/lib/format";

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
    expect([1500000, 25000, 1e19].map(format.formatTick)).toEqual(["1.5M", "25k", "1e19"]);
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
