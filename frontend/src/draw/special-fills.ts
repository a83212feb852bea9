// The hatchings of cells that are not a number on the scale.
import { SPECIAL_KINDS, type SpecialKind } from "../lib/cells";
import { inkOf } from "./ink";

type Line = [x0: number, y0: number, x1: number, y1: number];

const TILE = 8; // CSS pixels
const LINES: Record<SpecialKind, Line[]> = {
  nan: [
    [-2, 10, 10, -2],
    [-2, 2, 2, -2],
    [6, 10, 10, 6],
  ],
  infinite: [
    [-2, -2, 10, 10],
    [-2, 10, 10, -2],
  ],
  none: [[2, 0, 2, 8]],
  zero: [[0, 4, 8, 4]],
  missing: [[-2, -2, 10, 10]],
  gap: [
    [1, 2, 2.5, 2],
    [5, 6, 6.5, 6],
  ],
};

const tiles = new Map<string, HTMLCanvasElement>();

function drawTile(kind: SpecialKind, dark: boolean, ratio: number): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = Math.round(TILE * ratio);
  const context = canvas.getContext("2d");
  if (!context) return canvas;
  const { back, line } = inkOf(dark).special[kind];
  context.scale(canvas.width / TILE, canvas.height / TILE);
  context.fillStyle = back;
  context.fillRect(0, 0, TILE, TILE);
  context.strokeStyle = line;
  context.lineWidth = 1.2;
  for (const [x0, y0, x1, y1] of LINES[kind]) {
    context.beginPath();
    context.moveTo(x0, y0);
    context.lineTo(x1, y1);
    context.stroke();
  }
  return canvas;
}

function tileOf(kind: SpecialKind, dark: boolean, ratio: number): HTMLCanvasElement {
  const key = `${kind} ${dark} ${ratio}`;
  const tile = tiles.get(key) ?? drawTile(kind, dark, ratio);
  tiles.set(key, tile);
  return tile;
}

export type SpecialFills = Record<SpecialKind, CanvasPattern | string>;

/** Fill styles in device pixels. `ratio`: device pixels per CSS pixel. */
export function specialFills(context: CanvasRenderingContext2D, dark: boolean, ratio: number): SpecialFills {
  const fill = (kind: SpecialKind) =>
    context.createPattern(tileOf(kind, dark, ratio), "repeat") ?? inkOf(dark).special[kind].back;
  return Object.fromEntries(SPECIAL_KINDS.map((kind) => [kind, fill(kind)])) as SpecialFills;
}
