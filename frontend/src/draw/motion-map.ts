// Paints a motion map: one cell per part of the variable, on one logarithmic scale for all steps.
import type { FrameAnswer, MotionAnswer } from "../lib/api";
import { isSpecial, kindOf, position } from "../lib/cells";
import { cssColour, viridis } from "../lib/colour";
import { specialFills } from "./special-fills";

const MAX_HEIGHT = 320; // CSS pixels
const [MIN_CELL, MAX_CELL] = [2, 22];

/** Width and height of a cell in whole CSS pixels: large enough to see, and small enough for `maxWidth`. */
export function cellSize(frame: FrameAnswer, maxWidth: number): [width: number, height: number] {
  const [rows, columns] = [frame.values.length, frame.values[0]?.length ?? 1];
  const sizeFor = (count: number, room: number) =>
    Math.max(MIN_CELL, Math.min(MAX_CELL, Math.floor(room / count)));
  return [sizeFor(columns, maxWidth), sizeFor(rows, MAX_HEIGHT)];
}

export function paintMotionMap(
  canvas: HTMLCanvasElement,
  motion: MotionAnswer,
  frame: FrameAnswer,
  size: readonly [width: number, height: number],
  dark: boolean,
): void {
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = size.map((s) => s * ratio) as [number, number];
  canvas.width = Math.round(width * (frame.values[0]?.length ?? 1));
  canvas.height = Math.round(height * frame.values.length);
  const context = canvas.getContext("2d");
  if (!context) return;
  const fills = specialFills(context, dark, ratio);
  frame.values.forEach((cells, row) => {
    cells.forEach((cell, column) => {
      const kind = kindOf(cell, "log");
      context.fillStyle = isSpecial(kind)
        ? fills[kind]
        : cssColour(viridis(position(cell as number, motion.domain ?? [1, 1], "log")));
      const [x, y] = [Math.floor(column * width), Math.floor(row * height)];
      context.fillRect(x, y, Math.floor((column + 1) * width) - x, Math.floor((row + 1) * height) - y);
    });
  });
}
