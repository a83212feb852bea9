// The scales of a learning-rate curve: the learning rate on a log axis, the fall of the loss upward.
import type { Cell, RateCurveAnswer } from "./api";
import { logTicks } from "./buckets";

export interface RatePoint {
  rate: number;
  fall: Cell; // as a share of the loss before
  kind: "inside" | "below" | "nonfinite"; // "below": the loss rises further than the axis reaches
  x: number;
  y: number;
}

interface Tick {
  value: number;
  at: number; // its x or y
}

/** Where everything is drawn, in CSS pixels. */
export interface RatePlot {
  left: number;
  right: number;
  top: number;
  bottom: number; // of the finite values; marks of values that are not finite lie in a strip below it
  strip: number; // middle of that strip; 0 without one
  base: number; // the axis of learning rates
  points: RatePoint[];
  xTicks: Tick[];
  gap: number | null; // where the log axis is interrupted, because a rate of 0 stands left of it
  yTicks: Tick[];
  edge: number | null; // the fall at the lower edge if points lie below it
  x: (rate: number) => number;
  y: (fall: number) => number;
}

const GUTTER = 68; // for the labels of the value axis
const [RIGHT, PAD, ZERO_GAP, STRIP, HEIGHT] = [10, 12, 40, 24, 168];
const [TICK_GAP, LABEL_HEIGHT] = [58, 15];
const LEAST_FALL = 0.001; // below it, the loss has not really fallen
const LEAST_TOP = 0.01; // so that rounding errors are not drawn as large as the chart

/** Round values for about `count` ticks. */
export function linearTicks(low: number, high: number, count: number): number[] {
  const rough = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const unit = [1, 2, 5, 10].find((u) => u * power >= rough) ?? 10;
  const first = Math.ceil(low / (unit * power) - 1e-9);
  const ticks: number[] = [];
  for (let i = first; i * unit * power <= high * (1 + 1e-9); i++)
    ticks.push(Number((i * unit * power).toPrecision(6)));
  return ticks;
}

/** The lowest and highest fall on the axis. A loss that rises far does not squeeze the falls of the others. */
export function fallRange(falls: readonly Cell[]): [low: number, high: number] {
  const finite = falls.filter((fall): fall is number => typeof fall === "number");
  const highest = Math.max(0, ...finite);
  const limit = highest > LEAST_FALL ? Number((highest / 2).toPrecision(1)) : 1;
  const low = Math.max(Math.min(0, ...finite), -limit);
  return [low, Math.max(highest > LEAST_FALL ? 0 : LEAST_TOP, 1.02 * highest, -0.2 * low)];
}

/** Rates on a log axis from `left` to `right`. A rate of 0 has a place of its own at the left end. */
function rateScale(rates: readonly number[], left: number, right: number) {
  const positive = rates.filter((rate) => rate > 0).map(Math.log10);
  const zero = rates.some((rate) => rate === 0) ? left + PAD : null;
  const [from, to] = [zero === null ? left + PAD : zero + ZERO_GAP, right - PAD];
  const [least, most] = positive.length > 0 ? [Math.min(...positive), Math.max(...positive)] : [-3, -3];
  const [low, high] = most > least ? [least, most] : [least - 1, most + 1];
  const x = (rate: number) =>
    rate > 0 ? from + ((Math.log10(rate) - low) / (high - low)) * (to - from) : (zero ?? from);
  const ticks = logTicks(10 ** low, 10 ** high, Math.max(2, Math.floor((to - from) / TICK_GAP)));
  const xTicks = [...(zero === null ? [] : [0]), ...ticks].map((value) => ({ value, at: x(value) }));
  return { x, xTicks, gap: zero === null ? null : zero + ZERO_GAP / 2 };
}

interface RatePlotInput {
  curve: RateCurveAnswer;
  width: number;
  top: number; // room above the plot, for labels
}

export function ratePlot({ curve, width, top }: RatePlotInput): RatePlot {
  const { rates, falls, present, recommended, low, high } = curve;
  const [left, right, bottom] = [GUTTER, Math.max(GUTTER + 80, width - RIGHT), top + HEIGHT];
  const marked = [present, recommended, low, high].filter((rate) => rate !== null);
  const { x, xTicks, gap } = rateScale([...rates, ...marked], left, right);
  const [lowest, highest] = fallRange(falls);
  const y = (fall: number) =>
    bottom - PAD - ((fall - lowest) / (highest - lowest)) * (bottom - top - 2 * PAD);
  const hasNonfinite = falls.some((fall) => typeof fall !== "number");
  const strip = hasNonfinite ? bottom + STRIP / 2 : 0;
  const points = rates.map((rate, i): RatePoint => {
    const fall = falls[i] ?? null;
    if (typeof fall !== "number") return { rate, fall, kind: "nonfinite", x: x(rate), y: strip };
    if (fall < lowest) return { rate, fall, kind: "below", x: x(rate), y: bottom - PAD / 2 };
    return { rate, fall, kind: "inside", x: x(rate), y: y(fall) };
  });
  const edge = points.some((point) => point.kind === "below") ? lowest : null;
  const yTicks = linearTicks(lowest, highest, 4).map((value) => ({ value, at: y(value) }));
  const free = yTicks.filter(({ at }) => edge === null || y(edge) - at > LABEL_HEIGHT);
  const base = hasNonfinite ? bottom + STRIP : bottom;
  return { left, right, top, bottom, strip, base, points, xTicks, gap, yTicks: free, edge, x, y };
}

/** The point next to `x`. */
export function nearestPoint(points: readonly RatePoint[], x: number): number {
  const distances = points.map((point) => Math.abs(point.x - x));
  return distances.indexOf(Math.min(...distances));
}
