// The axes of a curve's chart, and the range of its values.
import uPlot from "uplot";
import type { CurveAnswer } from "../lib/api";
import { logTicks, type Span, ticksOf } from "../lib/buckets";
import { numberOf, type Scale } from "../lib/cells";
import { formatTick } from "../lib/format";
import { gutterWidth, plotWidth } from "../lib/layout";
import { inkOf } from "./ink";

export const AXIS_HEIGHT = 30;

const SHARES: uPlot.Range.MinMax = [-0.04, 1.04]; // with room for the line's width

/** The range of the value axis: the finite values with some room around them. */
export function valueRange(scale: Scale): uPlot.Range.Function {
  return (_, low, high) => {
    if (scale === "share") return SHARES;
    if (low == null || high == null) return scale === "log" ? [0.1, 1] : [0, 1];
    if (low === 0 && high === 0) return SHARES;
    if (scale === "log") {
      const pad = Math.max(1.15, (high / low) ** 0.1);
      return low === high ? [low / 3, high * 3] : [low / pad, high * pad];
    }
    return uPlot.rangeNum(low, high, 0.1, true);
  };
}

interface AxesInput {
  curve: CurveAnswer;
  width: number;
  dark: boolean;
  axis: boolean;
}

/** `spanNow` gives the span of the step axis, which moves. */
export function axesOf({ curve, width, dark, axis }: AxesInput, spanNow: () => Span): uPlot.Axis[] {
  const { scale } = curve.quantity;
  const ink = inkOf(dark);
  const style = { stroke: ink.label, font: "11px system-ui, sans-serif" };
  const lines = { stroke: ink.grid, width: 1, size: 4 };
  const label = (v: number) => (scale === "share" ? `${formatTick(100 * v)} %` : formatTick(v));
  const hasNumbers = curve.high.some((cell) => numberOf(cell, scale) !== null);
  const stepAxis: uPlot.Axis = {
    ...style,
    show: axis,
    size: AXIS_HEIGHT,
    space: 70,
    grid: lines,
    ticks: lines,
    splits: () => ticksOf(spanNow(), plotWidth(width) / 110),
    values: (_, splits) => splits.map(formatTick),
  };
  const valueAxis: uPlot.Axis = {
    ...style,
    size: gutterWidth(width),
    space: 24,
    grid: lines,
    ticks: lines,
    values: (_, splits) => splits.map((v) => (v == null || !hasNumbers ? "" : label(v))),
  };
  if (scale !== "log") return [stepAxis, valueAxis];
  return [
    stepAxis,
    { ...valueAxis, splits: (_, __, low, high) => logTicks(low, high, 3), filter: (_, splits) => splits },
  ];
}
