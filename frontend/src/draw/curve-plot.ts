// One uPlot chart per curve. uPlot makes axes, scales and the cursor; what was recorded is drawn by `curve-lines.ts`.
import uPlot from "uplot";
import { type Span, sameSpan } from "../lib/buckets";
import { numberOf } from "../lib/cells";
import { RIGHT_MARGIN } from "../lib/layout";
import { slotAt } from "../lib/slots";
import { AXIS_HEIGHT, axesOf, rangeWithLanes, VALUE_HEIGHT, valueRange } from "./curve-axes";
import { drawLanes, type Lane, lanesHeight, lanesOf } from "./curve-lanes";
import { type Drawable, drawableOf, drawBands, drawLine, type Plot, type RunCurve } from "./curve-lines";
import { DASHES, inkOf } from "./ink";
import { specialFills } from "./special-fills";

export interface CurveInput extends RunCurve {
  span: Span; // when the chart is made; afterwards `CurvePlot.follow` moves it
  width: number;
  dark: boolean;
  axis: boolean; // whether it has the step axis; of several charts only the last one has
  compared: RunCurve[]; // the same curve of compared runs
}

export interface CurvePlot {
  plot: uPlot;
  follow: (span: Span) => void; // moves the step axis
  point: (step: number | null) => void; // moves the cursor
}

/** What a chart draws, made once. */
interface Recorded {
  range: [number, number]; // of the value axis
  lanes: Lane[];
  own: Drawable;
  compared: Drawable[];
}

const PADDING = 6;
const MARK_ROOM = 3; // around the plot, for marks on its edge

function recordedOf({ compared, ...own }: CurveInput): Recorded {
  const { scale } = own.curve.quantity;
  const range = valueRange([own.curve, ...compared.map(({ curve }) => curve)], scale);
  return {
    range,
    lanes: lanesOf(own.curve, scale),
    own: drawableOf(own, range, scale),
    compared: compared.map((curve) => drawableOf(curve, range, scale)),
  };
}

/** Fills the usual range of the quantity, behind everything else. */
function drawUsual(u: uPlot, { curve, dark }: CurveInput, bottom: number): void {
  if (!curve.usual) return;
  const { low, high } = curve.usual;
  const yOf = (value: number, outside: number) =>
    value > 0 || curve.quantity.scale !== "log" ? u.valToPos(value, "y", true) : outside;
  const top = Math.max(u.bbox.top, yOf(high, u.bbox.top));
  const end = Math.min(bottom, yOf(low, bottom));
  if (end <= top) return;
  u.ctx.fillStyle = inkOf(dark).usual;
  u.ctx.fillRect(u.bbox.left, top, u.bbox.width, end - top);
}

/** Fills a plot in whose steps nothing was recorded, as the heat map does. */
function drawNothing({ ctx, bbox }: uPlot, { dark }: CurveInput): void {
  ctx.fillStyle = specialFills(ctx, dark, uPlot.pxRatio).gap;
  ctx.fillRect(bbox.left, bbox.top, bbox.width, bbox.height);
}

/** Draws everything that was recorded, inside the plot. */
function drawRecorded(
  { ctx }: uPlot,
  input: CurveInput,
  { lanes, own, compared }: Recorded,
  plot: Plot,
): void {
  const ink = inkOf(input.dark);
  const { left, width, bottom, height, ratio } = plot;
  ctx.save();
  if (lanes.length > 0) drawLanes(ctx, lanes, input, plot, input.dark);
  ctx.beginPath();
  const room = MARK_ROOM * ratio;
  ctx.rect(left - room, bottom - height - room, width + 2 * room, height + 2 * room);
  ctx.clip();
  drawBands(ctx, own, plot, ink.band);
  compared.forEach((curve, i) => {
    const colour = ink.compared[i % ink.compared.length] as string;
    drawLine(ctx, curve, plot, colour, DASHES[i % DASHES.length] ?? []);
  });
  drawLine(ctx, own, plot, ink.curve, []);
  ctx.restore();
}

/** The points that the cursor marks. uPlot needs at least one. */
function cursorData({ steps, curve, span }: CurveInput): uPlot.AlignedData {
  if (steps.length === 0) return [[span.from], [null]];
  return [[...steps], curve.last.map((cell) => numberOf(cell, curve.quantity.scale))];
}

/** uPlot's own reactions to the pointer are off: all charts follow `draw/cursor.ts`. */
function cursorOf(input: CurveInput): uPlot.Cursor {
  const off = () => null;
  return {
    bind: {
      mousedown: off,
      mouseup: off,
      click: off,
      dblclick: off,
      mousemove: off,
      mouseenter: off,
      mouseleave: off,
    },
    drag: { x: false, y: false },
    y: false,
    dataIdx: (_u, _series, _nearest, step) => {
      const { bucket } = slotAt(Math.round(step), input);
      return bucket < 0 ? null : bucket;
    },
    points: { size: 6 },
  };
}

export function makePlot(root: HTMLElement, input: CurveInput): CurvePlot {
  const { scale } = input.curve.quantity;
  const recorded = recordedOf(input);
  const { range, lanes, own, compared } = recorded;
  const hasNumbers = scale === "share" || [own, ...compared].some(({ points }) => points.length > 0);
  let { span } = input;
  const plotOf = ({ bbox: { left, top, width } }: uPlot): Plot => {
    const height = VALUE_HEIGHT * uPlot.pxRatio;
    return { left, width, bottom: top + height, height, span, ratio: uPlot.pxRatio };
  };
  const options: uPlot.Options = {
    width: input.width,
    height: 2 * PADDING + VALUE_HEIGHT + lanesHeight(lanes.length) + (input.axis ? AXIS_HEIGHT - PADDING : 0),
    padding: [PADDING, RIGHT_MARGIN, input.axis ? 0 : PADDING, 0],
    legend: { show: false },
    cursor: cursorOf(input),
    scales: {
      x: { time: false, range: () => [span.from - 0.5, span.to + 0.5] },
      y: { distr: scale === "log" ? 3 : 1, range: () => rangeWithLanes(range, lanes.length, scale) },
    },
    axes: axesOf(input, () => span, hasNumbers ? range : null),
    series: [{}, { stroke: inkOf(input.dark).curve, paths: () => null, points: { show: false } }],
    hooks: {
      drawClear: [
        (u) => (input.first.length > 0 ? drawUsual(u, input, plotOf(u).bottom) : drawNothing(u, input)),
      ],
      draw: [(u) => drawRecorded(u, input, recorded, plotOf(u))],
    },
  };
  const plot = new uPlot(options, cursorData(input), root);
  const follow = (to: Span) => {
    if (sameSpan(to, span)) return;
    span = to;
    plot.setScale("x", { min: to.from - 0.5, max: to.to + 0.5 });
  };
  const point = (step: number | null) =>
    plot.setCursor(step === null ? { left: -10, top: -10 } : { left: plot.valToPos(step, "x"), top: 10 });
  return { plot, follow, point };
}
