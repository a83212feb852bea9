// Paints the visible part of the heat map: numbers first, so that a single NaN is never painted over.
import type { HeatmapAnswer } from "../lib/api";
import { edgesOf, type Span } from "../lib/buckets";
import { kindOf, position, SPECIAL } from "../lib/cells";
import { viridis } from "../lib/colour";
import { ROW } from "../lib/layout";
import { type Fills, fillsFor } from "./special-fills";

export interface View {
  width: number; // CSS pixels of the plot
  height: number;
  scroll: number;
  span: Span;
  dark: boolean;
}

// A cell as a whole number: 0 to 255 on the colour scale, beyond that one of SPECIAL.
const BEYOND = 256;
const MISSING = BEYOND + SPECIAL.indexOf("missing");

/** Colours as the canvas keeps them: a heat map asks for tens of thousands of them a frame. */
const PIXELS = Uint32Array.from({ length: 256 }, (_, i) => {
  const [r, g, b] = viridis(i / 255);
  return new Uint32Array(new Uint8ClampedArray([r, g, b, 255]).buffer)[0] as number;
});

const coded = new WeakMap<HeatmapAnswer, (Uint16Array | undefined)[]>();

/** The cells of a row as codes; made once, as an axis that is moved paints the same map anew in every frame. */
function codesOf(map: HeatmapAnswer, row: number): Uint16Array {
  const rows = coded.get(map) ?? [];
  coded.set(map, rows);
  const known = rows[row];
  if (known) return known;
  const { scale } = map.quantity;
  const domain = map.domain ?? [0, 1];
  const codes = Uint16Array.from(map.high[row] ?? [], (cell) => {
    const kind = kindOf(cell, scale);
    return kind === "number"
      ? Math.round(255 * position(cell as number, domain, scale))
      : BEYOND + SPECIAL.indexOf(kind);
  });
  rows[row] = codes;
  return codes;
}

interface Special {
  code: number;
  left: number;
  right: number;
}

/** Puts a row's numbers into a line of pixels, and returns the stretches that are no numbers. */
function paintLine(line: Uint32Array, codes: Uint16Array, lefts: Int32Array, ratio: number): Special[] {
  const special: Special[] = [];
  for (let c = 0; c < codes.length; c++) {
    const left = lefts[c] as number;
    const right = Math.max(left + 1, lefts[c + 1] as number);
    if (right <= 0 || left >= line.length) continue;
    const code = codes[c] as number;
    if (code < BEYOND) {
      line.fill(PIXELS[code] as number, Math.max(0, left), right);
      continue;
    }
    const wide = code === MISSING ? right : Math.max(right, left + Math.round(2 * ratio));
    const last = special[special.length - 1];
    if (last && last.code === code && left <= last.right) last.right = wide;
    else special.push({ code, left, right: wide });
  }
  return special;
}

export function paint(canvas: HTMLCanvasElement, map: HeatmapAnswer, view: View): void {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(view.width * ratio);
  canvas.height = Math.round(view.height * ratio);
  const context = canvas.getContext("2d", { alpha: true });
  const from = Math.floor(view.scroll / ROW);
  const to = Math.min(map.names.length, Math.ceil((view.scroll + view.height) / ROW));
  if (!context || canvas.width === 0 || to <= from) return;
  const lines = new ImageData(canvas.width, to - from);
  const pixels = new Uint32Array(lines.data.buffer);
  const lefts = Int32Array.from(edgesOf(map.first, map.last, view.span, view.width), (x) =>
    Math.floor(x * ratio),
  );
  const special = Array.from({ length: to - from }, (_, i) =>
    paintLine(
      pixels.subarray(i * canvas.width, (i + 1) * canvas.width),
      codesOf(map, from + i),
      lefts,
      ratio,
    ),
  );
  spread(context, lines, special, fillsFor(context, view.dark, ratio), (i) => [
    Math.round(((from + i) * ROW - view.scroll) * ratio),
    Math.round(((from + i + 1) * ROW - view.scroll - 1) * ratio),
  ]);
}

/** Draws each line of pixels as high as its row, and over it what is no number. */
function spread(
  context: CanvasRenderingContext2D,
  lines: ImageData,
  special: Special[][],
  fills: Fills,
  rowAt: (i: number) => [top: number, bottom: number],
): void {
  const strip = document.createElement("canvas");
  strip.width = lines.width;
  strip.height = lines.height;
  strip.getContext("2d")?.putImageData(lines, 0, 0);
  context.imageSmoothingEnabled = false;
  special.forEach((parts, i) => {
    const [top, bottom] = rowAt(i);
    context.drawImage(strip, 0, i, lines.width, 1, 0, top, lines.width, bottom - top);
    for (const { code, left, right } of parts) {
      context.fillStyle = fills[SPECIAL[code - BEYOND] as keyof Fills];
      context.fillRect(left, top, right - left, bottom - top);
    }
  });
}

/** A patch of one special fill, for the legend. */
export function paintSwatch(canvas: HTMLCanvasElement, kind: keyof Fills, dark: boolean): void {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(22 * ratio);
  canvas.height = Math.round(12 * ratio);
  const context = canvas.getContext("2d");
  if (!context) return;
  context.fillStyle = fillsFor(context, dark, ratio)[kind];
  context.fillRect(0, 0, canvas.width, canvas.height);
}
