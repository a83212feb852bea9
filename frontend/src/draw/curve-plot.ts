// One uPlot chart per curve: a band from the lowest to the highest value of each bucket, and a line of the last values.
import uPlot from "uplot";
import type { CurveAnswer } from "../lib/api";
import { bucketAt, bucketEnding, type Span, sameSpan } from "../lib/buckets";
import { isSpecial, kindOf, numberOf } from "../lib/cells";
import { RIGHT_MARGIN } from "../lib/layout";
import { AXIS_HEIGHT, axesOf, valueRange } from "./curve-axes";
import { DASHES, inkOf } from "./ink";
import { specialFills } from "./special-fills";

export interface CurveInput {
  steps: number[];
  curve: CurveAnswer;
  span: Span; // when the chart is made; afterwards `CurvePlot.follow` moves it
  width: number;
  dark: boolean;
  axis: boolean; // whether it has the step axis; of several charts only the last one has
  compared: { steps: number[]; curve: CurveAnswer }[]; // the same curve of compared runs
}

export interface CurvePlot {
  plot: uPlot;
  follow: (span: Span) => void; // moves the step axis
}

const HEIGHT = 76;
const LAST_VALUES = 3; // the series that the cursor reads

function dataOf({ steps, curve }: CurveInput): uPlot.AlignedData {
  const { scale } = curve.quantity;
  const numbers = (cells: CurveAnswer["low"]) => cells.map((cell) => numberOf(cell, scale));
  return [steps, numbers(curve.high), numbers(curve.low), numbers(curve.last)];
}

/** The values of the compared curves at this curve's steps: the last value recorded up to each step. */
function comparedData({ steps, curve, compared }: CurveInput): (number | null)[][] {
  return compared.map((other) => {
    const [first, last] = [other.steps[0] ?? 0, other.steps[other.steps.length - 1] ?? 0];
    return steps.map((step) => {
      const at = bucketAt(step, other.steps);
      const outside = at < 0 || step < first || step > last;
      return outside ? null : numberOf(other.curve.last[at], curve.quantity.scale);
    });
  });
}

/** Fills the usual range of the quantity, behind everything else. */
function drawUsual(u: uPlot, { curve, dark }: CurveInput): void {
  if (!curve.usual) return;
  const { low, high } = curve.usual;
  const bottom = u.bbox.top + u.bbox.height;
  const yOf = (value: number, outside: number) =>
    value > 0 || curve.quantity.scale !== "log" ? u.valToPos(value, "y", true) : outside;
  const top = Math.max(u.bbox.top, yOf(high, u.bbox.top));
  const end = Math.min(bottom, yOf(low, bottom));
  if (end <= top) return;
  u.ctx.fillStyle = inkOf(dark).usual;
  u.ctx.fillRect(u.bbox.left, top, u.bbox.width, end - top);
}

/** Marks buckets without a number on this scale: by a hatched bar at the top, for zeros at the bottom. */
function drawSpecial(u: uPlot, { curve, steps, dark }: CurveInput): void {
  const ratio = uPlot.pxRatio;
  const fills = specialFills(u.ctx, dark, ratio);
  const size = Math.round(7 * ratio);
  steps.forEach((step, i) => {
    const kind = kindOf(curve.high[i], curve.quantity.scale);
    if (!isSpecial(kind) || kind === "missing") return;
    const left = i === 0 ? u.bbox.left : u.valToPos(steps[i - 1] as number, "x", true);
    const right = Math.max(left + 2 * ratio, u.valToPos(step, "x", true));
    u.ctx.fillStyle = fills[kind];
    const top = kind === "zero" ? u.bbox.top + u.bbox.height - size : u.bbox.top;
    u.ctx.fillRect(left, top, right - left, size);
  });
}

function seriesOf(input: CurveInput): uPlot.Series[] {
  const ink = inkOf(input.dark);
  const hidden = { stroke: "transparent", points: { show: false } };
  return [
    {},
    hidden, // the band's upper edge
    hidden, // and its lower one
    { stroke: ink.curve, width: 1.5, points: { show: input.steps.length < 2 } },
    ...input.compared.map((_, i) => ({
      stroke: ink.compared[i % ink.compared.length] as string,
      width: 1.5,
      dash: DASHES[i % DASHES.length] as number[],
      points: { show: false },
    })),
  ];
}

function cursorOf(steps: number[]): uPlot.Cursor {
  return {
    sync: { key: "weightwatch", scales: ["x", null] },
    drag: { x: false, y: false },
    y: false,
    dataIdx: (_u, _series, _nearest, step) => bucketEnding(step, steps), // the same bucket as in the heat map
    points: { size: 6 },
  };
}

/** `onIndex` gets the index of the bucket under the pointer, or null. */
export function makePlot(
  root: HTMLElement,
  input: CurveInput,
  onIndex: (index: number | null) => void,
): CurvePlot {
  const { scale } = input.curve.quantity;
  let { span } = input;
  const options: uPlot.Options = {
    width: input.width,
    height: HEIGHT + (input.axis ? AXIS_HEIGHT : 0),
    padding: [6, RIGHT_MARGIN, input.axis ? 0 : 6, 0],
    legend: { show: false },
    cursor: cursorOf(input.steps),
    scales: {
      x: { time: false, range: () => [span.from, span.to] },
      y: { distr: scale === "log" ? 3 : 1, range: valueRange(scale) },
    },
    axes: axesOf(input, () => span),
    series: seriesOf(input),
    bands: [{ series: [1, 2], fill: inkOf(input.dark).band }],
    hooks: {
      drawClear: [(u) => drawUsual(u, input)],
      draw: [(u) => drawSpecial(u, input)],
      setCursor: [(u) => onIndex(u.cursor.idx == null ? null : (u.cursor.idxs?.[LAST_VALUES] ?? null))],
    },
  };
  const plot = new uPlot(options, [...dataOf(input), ...comparedData(input)] as uPlot.AlignedData, root);
  const follow = (to: Span) => {
    if (sameSpan(to, span)) return;
    span = to;
    plot.setScale("x", { min: to.from, max: to.to });
  };
  return { plot, follow };
}
