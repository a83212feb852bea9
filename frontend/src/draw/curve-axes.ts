// The axes of a curve's chart, and the range of its values.
import uPlot from "uplot";
import type { CurveAnswer } from "../lib/api";
import { logTicks, type Span, ticksOf } from "../lib/buckets";
import { numberOf, type Scale } from "../lib/cells";
import { formatCount, formatNumber, formatTicks } from "../lib/format";
import { gutterWidth, plotWidth } from "../lib/layout";
import { linearTicks } from "../lib/rate-scale";
import { lanesHeight } from "./curve-lanes";
import { inkOf } from "./ink";

export const AXIS_HEIGHT = 30; // CSS pixels, as all sizes here
export const VALUE_HEIGHT = 66; // of the plot above the lanes
const [LOG_TICKS, LINEAR_TICKS] = [3, 4];

type Values = Pick<CurveAnswer, "low" | "high" | "last">;

const SHARES: [number, number] = [-0.04, 1.04]; // with room for the line's width

/** The values that the axis shows, with some room around them. */
export function valueRange(curves: readonly Values[], scale: Scale): [low: number, high: number] {
  const cells = curves.flatMap(({ low, high, last }) => [...low, ...high, ...last]);
  const numbers = cells.flatMap((cell) => numberOf(cell, scale) ?? []);
  if (scale === "share") return SHARES;
  if (numbers.length === 0) return scale === "log" ? [0.1, 1] : [0, 1];
  const low = numbers.reduce((a, b) => Math.min(a, b));
  const high = numbers.reduce((a, b) => Math.max(a, b));
  if (scale === "log") {
    const pad = Math.max(1.15, (high / low) ** 0.1);
    return low === high ? [low / 3, high * 3] : [low / pad, high * pad];
  }
  if (low === 0 && high === 0) return SHARES;
  return uPlot.rangeNum(low, high, 0.1, true) as [number, number];
}

/** The same range, made longer at its lower end by the lanes. */
export function rangeWithLanes([low, high]: [number, number], lanes: number, scale: Scale): [number, number] {
  const share = lanesHeight(lanes) / VALUE_HEIGHT;
  return scale === "log" ? [low / (high / low) ** share, high] : [low - (high - low) * share, high];
}

interface AxesInput {
  curve: CurveAnswer;
  width: number;
  dark: boolean;
  axis: boolean;
}

/** `spanNow` gives the span of the step axis, which moves; `range` is that of the values, null if there are none. */
export function axesOf(
  { curve, width, dark, axis }: AxesInput,
  spanNow: () => Span,
  range: [number, number] | null,
): uPlot.Axis[] {
  const { scale } = curve.quantity;
  const ink = inkOf(dark);
  const style = { stroke: ink.label, font: "11px system-ui, sans-serif" };
  const lines = { stroke: ink.grid, width: 1, size: 4 };
  const steps: uPlot.Axis = {
    ...style,
    show: axis,
    size: AXIS_HEIGHT,
    space: 70,
    grid: lines,
    ticks: lines,
    splits: () => ticksOf(spanNow(), plotWidth(width) / 110),
    values: (_, splits) => splits.map(formatCount),
  };
  const values: uPlot.Axis = {
    ...style,
    size: gutterWidth(width),
    grid: lines,
    ticks: lines,
    filter: (_, splits) => splits,
    splits: () => (range ? valueTicks(range, scale) : []),
    values: (_, splits) =>
      scale === "share" ? splits.map((v) => `${formatNumber(100 * v)} %`) : formatTicks(splits),
  };
  return [steps, values];
}

function valueTicks([low, high]: [number, number], scale: Scale): number[] {
  if (scale === "share") return [0, 0.5, 1];
  return scale === "log" ? logTicks(low, high, LOG_TICKS) : linearTicks(low, high, LINEAR_TICKS);
}
