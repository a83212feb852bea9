// The present and the recommended learning rate, and the working range: where their labels stand, and in which words.
import type { Cell, RateCurveAnswer } from "./api";
import { formatNumber, formatShare } from "./format";

interface RateMark {
  kind: "present" | "recommended";
  rate: number;
  text: string;
}

type Bounds = readonly [left: number, right: number];

export interface PlacedMark extends RateMark {
  x: number;
  lane: number; // 0 is the upper one
  line: number; // the lane from which its line goes down
  anchor: "start" | "middle" | "end"; // which part of the label stands at `at`
  at: number;
  from: number; // where the label begins
  to: number;
}

const [LETTER, GAP] = [7.2, 5]; // the width of a letter, with room; between a line and its label
const UNCHANGED = 1e-7; // as the backend words it

export function labelWidth(text: string): number {
  return LETTER * text.length;
}

/** The marked rates; one mark where they are the same. */
export function rateMarks({ present, recommended }: RateCurveAnswer): RateMark[] {
  const mark = (kind: RateMark["kind"], rate: number, words: string): RateMark[] => [
    { kind, rate, text: `${words} ${formatNumber(rate)}` },
  ];
  if (present !== null && present === recommended)
    return mark("recommended", present, "present, recommended");
  return [
    ...(present === null ? [] : mark("present", present, "present")),
    ...(recommended === null ? [] : mark("recommended", recommended, "recommended")),
  ];
}

/** The ways to write the label of a mark at `x` between `left` and `right`: beside its line, else above it. */
function ways(mark: RateMark, lane: number, x: number, [left, right]: Bounds): PlacedMark[] {
  const width = labelWidth(mark.text);
  const place = (anchor: PlacedMark["anchor"], at: number, line = lane): PlacedMark => {
    const from = at - { start: 0, middle: width / 2, end: width }[anchor];
    return { ...mark, x, lane, line, anchor, at, from, to: from + width };
  };
  const beside = [place("start", x + GAP), place("end", x - GAP)];
  const inside = beside.filter(({ from, to }) => from >= left && to <= right);
  const middle = Math.max(left + width / 2, Math.min(right - width / 2, x));
  return inside.length > 0 ? inside : [place("middle", middle, lane + 1)];
}

/** A lane for each mark. No line runs through the label of another mark: where room is short, it begins below it. */
export function placeMarks(
  marks: readonly RateMark[],
  xOf: (rate: number) => number,
  bounds: Bounds,
): readonly PlacedMark[] {
  const [first, second] = marks;
  if (!first) return [];
  if (!second) return ways(first, 0, xOf(first.rate), bounds).slice(0, 1);
  const both = [
    [first, second],
    [second, first],
  ] as const;
  const choices = both.flatMap(([upper, lower]) =>
    ways(upper, 0, xOf(upper.rate), bounds).flatMap((a) =>
      ways(lower, 1, xOf(lower.rate), bounds).map((b) => [a, b] as const),
    ),
  );
  const clear = choices.find(([a, b]) => a.x < b.from - GAP || a.x > b.to + GAP);
  if (clear) return clear;
  const [upper, lower] = choices[0] as [PlacedMark, PlacedMark];
  return [{ ...upper, line: 2 }, lower];
}

/** "working range 3.16e-4 to 0.00316"; "" if the loss falls with no rate. */
export function rangeText({ low, high }: RateCurveAnswer): string {
  if (low === null || high === null) return "";
  return low === high
    ? `working range ${formatNumber(low)}`
    : `working range ${formatNumber(low)} to ${formatNumber(high)}`;
}

/** What the loss does with a learning rate: "falls by 41 %". */
export function fallText(fall: Cell): string {
  if (typeof fall !== "number") return "becomes NaN or infinite";
  if (Math.abs(fall) < UNCHANGED) return "does not change";
  return `${fall > 0 ? "falls" : "rises"} by ${formatShare(Math.abs(fall))}`
    .replace("> ", "more than ")
    .replace(" %", "\u00a0%");
}

/** What a rate is, beside one that was tried: "present", "recommended", "in the working range". */
export function rateRoles(rate: number, { present, recommended, low, high }: RateCurveAnswer): string[] {
  const inside = low !== null && high !== null && rate >= low && rate <= high;
  return [
    ...(rate === present ? ["present"] : []),
    ...(rate === recommended ? ["recommended"] : []),
    ...(inside ? ["in the working range"] : []),
  ];
}
