// Paints the visible part of the heat map: numbers first, so that a single NaN is never painted over.
import type { Cell, HeatmapAnswer } from "../lib/api";
import { edgesOf, type Span } from "../lib/buckets";
import { kindOf, position } from "../lib/cells";
import { shade } from "../lib/colour";
import { ROW } from "../lib/layout";
import { type Fills, fillsFor, isSpecial } from "./hatch";

export interface View {
  width: number; // CSS pixels of the plot
  height: number;
  scroll: number;
  span: Span;
  dark: boolean;
}

function paintRow(
  context: CanvasRenderingContext2D,
  cells: readonly Cell[],
  map: HeatmapAnswer,
  edges: readonly number[],
  top: number,
  height: number,
  fills: Fills,
  ratio: number,
): void {
  const { scale } = map.quantity;
  const special: [number, number, string | CanvasPattern][] = [];
  for (let c = 0; c + 1 < edges.length; c++) {
    const kind = kindOf(cells[c], scale);
    const left = Math.floor((edges[c] as number) * ratio);
    const right = Math.max(left + 1, Math.floor((edges[c + 1] as number) * ratio));
    if (right < 0 || left > context.canvas.width) continue;
    if (isSpecial(kind)) {
      const wide = kind === "missing" ? right : Math.max(right, left + Math.round(2 * ratio));
      special.push([left, wide, fills[kind]]);
    } else {
      context.fillStyle = shade(position(cells[c] as number, map.domain ?? [0, 1], scale));
      context.fillRect(left, top, right - left, height);
    }
  }
  for (const [left, right, fill] of special) {
    context.fillStyle = fill;
    context.fillRect(left, top, right - left, height);
  }
}

export function paint(canvas: HTMLCanvasElement, map: HeatmapAnswer, view: View): void {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(view.width * ratio);
  canvas.height = Math.round(view.height * ratio);
  const context = canvas.getContext("2d", { alpha: true });
  if (!context) return;
  const fills = fillsFor(context, view.dark, ratio);
  const edges = edgesOf(map.first, map.last, view.span, view.width);
  const from = Math.floor(view.scroll / ROW);
  const to = Math.min(map.names.length, Math.ceil((view.scroll + view.height) / ROW));
  for (let row = from; row < to; row++) {
    const top = Math.round((row * ROW - view.scroll) * ratio);
    const bottom = Math.round(((row + 1) * ROW - view.scroll - 1) * ratio);
    paintRow(context, map.high[row] ?? [], map, edges, top, bottom - top, fills, ratio);
  }
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
