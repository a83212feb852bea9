// Paints the visible part of the heat map: numbers first, so that a single NaN is never painted over.
import type { HeatmapAnswer } from "../lib/api";
import { edgesOf, type Span } from "../lib/buckets";
import { kindOf, position, SPECIAL_KINDS, type SpecialKind } from "../lib/cells";
import { viridis } from "../lib/colour";
import { ROW_HEIGHT } from "../lib/layout";
import { gapsOf } from "../lib/slots";
import { type SpecialFills, specialFills } from "./special-fills";

interface HeatmapView {
  width: number; // CSS pixels of the plot
  height: number;
  scroll: number;
  span: Span;
  dark: boolean;
}

// A cell as one integer: 0 to 255 is a position on the colour scale, larger codes are special kinds.
const FIRST_SPECIAL = 256;
const MISSING = FIRST_SPECIAL + SPECIAL_KINDS.indexOf("missing");
const LEAST_WIDTH = 2; // CSS pixels of a bucket that has room

/** The colours as a canvas stores them: a heat map needs tens of thousands of them per frame. */
const PIXELS = Uint32Array.from({ length: 256 }, (_, i) => {
  const [r, g, b] = viridis(i / 255);
  return new Uint32Array(new Uint8ClampedArray([r, g, b, 255]).buffer)[0] as number;
});

const codesOfHeatmap = new WeakMap<HeatmapAnswer, (Uint16Array | undefined)[]>();

function encode(heatmap: HeatmapAnswer, row: number): Uint16Array {
  const { scale } = heatmap.quantity;
  const domain = heatmap.domain ?? [0, 1];
  return Uint16Array.from(heatmap.high[row] ?? [], (cell) => {
    const kind = kindOf(cell, scale);
    return kind === "number"
      ? Math.round(255 * position(cell as number, domain, scale))
      : FIRST_SPECIAL + SPECIAL_KINDS.indexOf(kind);
  });
}

/** The codes of a row's cells. They are computed once, because a moving axis paints the same heat map every frame. */
function codesOf(heatmap: HeatmapAnswer, row: number): Uint16Array {
  const rows = codesOfHeatmap.get(heatmap) ?? [];
  codesOfHeatmap.set(heatmap, rows);
  const codes = rows[row] ?? encode(heatmap, row);
  rows[row] = codes;
  return codes;
}

/** Neighbouring cells of one special kind, in device pixels. */
interface SpecialRange {
  code: number;
  left: number;
  right: number;
}

/** [C] The left edge of each bucket and the right one, in device pixels. */
interface Edges {
  lefts: Int32Array;
  rights: Int32Array;
}

/** A narrow bucket is widened into the gap after it, so that it can be seen. */
function bucketEdges({ first, last }: HeatmapAnswer, { span, width }: HeatmapView, ratio: number): Edges {
  const lefts = new Int32Array(first.length);
  const rights = new Int32Array(first.length);
  const least = Math.round(LEAST_WIDTH * ratio);
  for (let c = 0; c < first.length; c++) {
    const [left, right] = edgesOf(first[c] as number, last[c] as number, span, width);
    lefts[c] = Math.floor(left * ratio);
    rights[c] = Math.floor(right * ratio);
  }
  for (let c = 0; c < first.length; c++) {
    const [left, right, next] = [
      lefts[c] as number,
      rights[c] as number,
      lefts[c + 1] ?? Number.POSITIVE_INFINITY,
    ];
    rights[c] = Math.max(left + 1, right, Math.min(left + least, next));
  }
  return { lefts, rights };
}

/** Writes a row's numbers into a line of pixels, and returns its special cells. */
function paintNumbers(line: Uint32Array, codes: Uint16Array, { lefts, rights }: Edges, ratio: number) {
  const ranges: SpecialRange[] = [];
  for (let c = 0; c < codes.length; c++) {
    const left = lefts[c] as number;
    const right = rights[c] as number;
    if (right <= 0 || left >= line.length) continue;
    const code = codes[c] as number;
    if (code < FIRST_SPECIAL) {
      line.fill(PIXELS[code] as number, Math.max(0, left), right);
      continue;
    }
    const end = code === MISSING ? right : Math.max(right, left + Math.round(LEAST_WIDTH * ratio));
    const last = ranges[ranges.length - 1];
    if (last && last.code === code && left <= last.right) last.right = end;
    else ranges.push({ code, left, right: end });
  }
  return ranges;
}

/** Paints the steps that were not recorded, behind all rows. */
function paintGaps(
  context: CanvasRenderingContext2D,
  heatmap: HeatmapAnswer,
  { span, width, dark }: HeatmapView,
  ratio: number,
): void {
  context.fillStyle = specialFills(context, dark, ratio).gap;
  for (const [first, last] of gapsOf(heatmap)) {
    if (last < span.from || first > span.to) continue;
    const [left, right] = edgesOf(first, last, span, width).map((x) => Math.floor(x * ratio)) as [
      number,
      number,
    ];
    context.fillRect(left, 0, right - left, context.canvas.height);
  }
}

export function paintHeatmap(canvas: HTMLCanvasElement, heatmap: HeatmapAnswer, view: HeatmapView): void {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(view.width * ratio);
  canvas.height = Math.round(view.height * ratio);
  const context = canvas.getContext("2d", { alpha: true });
  const from = Math.floor(view.scroll / ROW_HEIGHT);
  const to = Math.min(heatmap.names.length, Math.ceil((view.scroll + view.height) / ROW_HEIGHT));
  if (!context || canvas.width === 0 || to <= from) return;
  const lines = new ImageData(canvas.width, to - from);
  const pixels = new Uint32Array(lines.data.buffer);
  const edges = bucketEdges(heatmap, view, ratio);
  const ranges = Array.from({ length: to - from }, (_, i) => {
    const line = pixels.subarray(i * canvas.width, (i + 1) * canvas.width);
    return paintNumbers(line, codesOf(heatmap, from + i), edges, ratio);
  });
  paintGaps(context, heatmap, view, ratio);
  paintRows(context, lines, ranges, specialFills(context, view.dark, ratio), (i) => [
    Math.round(((from + i) * ROW_HEIGHT - view.scroll) * ratio),
    Math.round(((from + i + 1) * ROW_HEIGHT - view.scroll - 1) * ratio),
  ]);
}

/** Stretches each line of pixels to the height of its row, and paints the special cells over it. */
function paintRows(
  context: CanvasRenderingContext2D,
  lines: ImageData,
  ranges: SpecialRange[][],
  fills: SpecialFills,
  edgesOfRow: (i: number) => [top: number, bottom: number],
): void {
  const strip = document.createElement("canvas");
  strip.width = lines.width;
  strip.height = lines.height;
  strip.getContext("2d")?.putImageData(lines, 0, 0);
  context.imageSmoothingEnabled = false;
  ranges.forEach((rangesOfRow, i) => {
    const [top, bottom] = edgesOfRow(i);
    context.drawImage(strip, 0, i, lines.width, 1, 0, top, lines.width, bottom - top);
    for (const { code, left, right } of rangesOfRow) {
      context.fillStyle = fills[SPECIAL_KINDS[code - FIRST_SPECIAL] as SpecialKind];
      context.fillRect(left, top, right - left, bottom - top);
    }
  });
}

/** Paints a sample of one special fill, for the legend. */
export function paintSwatch(canvas: HTMLCanvasElement, kind: SpecialKind, dark: boolean): void {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(22 * ratio);
  canvas.height = Math.round(12 * ratio);
  const context = canvas.getContext("2d");
  if (!context) return;
  context.fillStyle = specialFills(context, dark, ratio)[kind];
  context.fillRect(0, 0, canvas.width, canvas.height);
}
