// Draws what was recorded: a line through neighbouring buckets, marks where there is room for them, and a band from the
// lowest to the highest value of each bucket. Where steps were not recorded, a thin dashed line leads to the next ones.
import type { CurveAnswer } from "../lib/api";
import type { Span } from "../lib/buckets";
import { kindOf, numberOf, type Scale } from "../lib/cells";
import type { Buckets } from "../lib/slots";

/** A curve of one run, on the buckets of that run. */
export interface RunCurve extends Buckets {
  steps: readonly number[]; // the last recorded step of each bucket, at which it has its last value
  curve: CurveAnswer;
}

/** A point of a line: its step or x, and its height, 0 at the lower end of the value axis and 1 at the upper one. */
interface Point {
  x: number;
  y: number;
  joins: "line" | "gap" | "none"; // how it is connected with the point before it
}

/** The smallest to the largest value of a bucket of more than one value. */
interface Band {
  first: number; // step
  last: number; // step
  low: number; // heights
  high: number;
}

/** A curve that is ready to be drawn at any span of steps: an axis that moves draws it in every frame. */
export interface Drawable {
  points: Point[];
  bands: Band[];
}

/** The part of a canvas that shows the values, in device pixels. */
export interface Plot {
  left: number;
  width: number;
  bottom: number;
  height: number;
  span: Span;
  ratio: number; // device pixels per CSS pixel
}

const [LINE, GAP_LINE, MARK] = [1.5, 1, 2]; // CSS pixels: widths of lines, radius of marks
const GAP_DASH = [2, 4];
const MARK_ROOM = 8; // CSS pixels between points of a line from which each has a mark
const SHORT_LINE = 3; // CSS pixels; a shorter line has a mark, because it can hardly be seen

interface ValueAxis {
  scale: Scale;
  height: (value: number) => number; // of a value that has a place on the scale
}

function valueAxis([low, high]: readonly [number, number], scale: Scale): ValueAxis {
  const at = scale === "log" ? Math.log10 : (value: number) => value;
  const [base, length] = [at(low), at(high) - at(low)];
  return { scale, height: (value) => (at(value) - base) / length };
}

/** The points of a curve. NaN, infinity, None and zeros on a log scale interrupt it. */
function pointsOf({ steps, first, last, curve }: RunCurve, { scale, height }: ValueAxis): Point[] {
  const points: Point[] = [];
  let joins: Point["joins"] = "none";
  steps.forEach((step, i) => {
    const value = numberOf(curve.last[i], scale);
    if (value === null) {
      joins = kindOf(curve.last[i], scale) === "missing" && joins !== "none" ? "gap" : "none";
      return;
    }
    const isNeighbour = i > 0 && (first[i] as number) === (last[i - 1] as number) + 1;
    if (joins === "line" && !isNeighbour) joins = "gap";
    points.push({ x: step, y: height(value), joins });
    joins = "line";
  });
  return points;
}

function bandsOf({ first, last, curve }: RunCurve, { scale, height }: ValueAxis): Band[] {
  return first.flatMap((from, i) => {
    const [low, high] = [curve.low[i], numberOf(curve.high[i], scale)];
    if (typeof low !== "number" || high === null || low === high) return [];
    const base = numberOf(low, scale) === null ? 0 : height(low);
    return [{ first: from, last: last[i] as number, low: base, high: height(high) }];
  });
}

/** `range` and `scale`: of the value axis. That of a compared run has the scale of the chosen one. */
export function drawableOf(curve: RunCurve, range: readonly [number, number], scale: Scale): Drawable {
  const axis = valueAxis(range, scale);
  return { points: pointsOf(curve, axis), bands: bandsOf(curve, axis) };
}

/** The x of the middle of a step. */
export function xIn({ left, width, span }: Plot): (step: number) => number {
  const scale = width / (span.to - span.from + 1);
  return (step) => left + (step - span.from + 0.5) * scale;
}

/** Draws the band of each bucket, as wide as the bucket and never across steps without one. */
export function drawBands(
  ctx: CanvasRenderingContext2D,
  { bands }: Drawable,
  plot: Plot,
  fill: string,
): void {
  const x = xIn(plot);
  ctx.fillStyle = fill;
  for (const { first, last, low, high } of bands) {
    if (last < plot.span.from || first > plot.span.to) continue;
    const left = x(first - 0.5);
    const top = plot.bottom - high * plot.height;
    ctx.fillRect(left, top, x(last + 0.5) - left, (high - low) * plot.height);
  }
}

function strokeJoined(ctx: CanvasRenderingContext2D, points: readonly Point[], joins: Point["joins"]): void {
  ctx.beginPath();
  for (let i = 1; i < points.length; i++) {
    const [before, point] = [points[i - 1] as Point, points[i] as Point];
    if (point.joins !== joins) continue;
    if (i === 1 || before.joins !== joins) ctx.moveTo(before.x, before.y);
    ctx.lineTo(point.x, point.y);
  }
  ctx.stroke();
}

/** The points that get a mark: those with room around them, and the last one of a line that is too short to be seen. */
export function marked(points: readonly Point[], ratio: number): Point[] {
  const marks: Point[] = [];
  let start = 0;
  points.forEach((point, i) => {
    if (points[i + 1]?.joins === "line") return;
    const count = i - start;
    const length = point.x - (points[start] as Point).x;
    if (count === 0 || length >= MARK_ROOM * ratio * count) marks.push(...points.slice(start, i + 1));
    else if (length < SHORT_LINE * ratio) marks.push(point);
    start = i + 1;
  });
  return marks;
}

/** The points in the plot in device pixels, and one more on each side. */
function pointsIn({ points }: Drawable, plot: Plot): Point[] {
  const { from, to } = plot.span;
  const [after, end] = [points.findIndex((p) => p.x >= from), points.findIndex((p) => p.x > to)];
  const shown = points.slice(
    Math.max(0, (after < 0 ? points.length : after) - 1),
    end < 0 ? undefined : end + 1,
  );
  const x = xIn(plot);
  return shown.map((p) => ({ x: x(p.x), y: plot.bottom - p.y * plot.height, joins: p.joins }));
}

/** `dash`: of the line through recorded steps. */
export function drawLine(
  ctx: CanvasRenderingContext2D,
  drawable: Drawable,
  plot: Plot,
  colour: string,
  dash: readonly number[],
): void {
  const { ratio } = plot;
  const points = pointsIn(drawable, plot);
  const scaled = (lengths: readonly number[]) => lengths.map((length) => length * ratio);
  ctx.strokeStyle = ctx.fillStyle = colour;
  if (points.some((point) => point.joins === "gap")) {
    ctx.lineWidth = GAP_LINE * ratio;
    ctx.globalAlpha = 0.6;
    ctx.setLineDash(scaled(GAP_DASH));
    strokeJoined(ctx, points, "gap");
  }
  ctx.globalAlpha = 1;
  ctx.lineWidth = LINE * ratio;
  ctx.setLineDash(scaled(dash));
  strokeJoined(ctx, points, "line");
  ctx.beginPath();
  for (const { x, y } of marked(points, ratio)) {
    ctx.moveTo(x, y);
    ctx.arc(x, y, MARK * ratio, 0, 2 * Math.PI);
  }
  ctx.fill();
}
