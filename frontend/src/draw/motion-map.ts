// Paints a motion map: a part of the variable a cell, on one logarithmic scale over all steps.
import type { FrameAnswer, MotionAnswer } from "../lib/api";
import { kindOf, position } from "../lib/cells";
import { css, viridis } from "../lib/colour";
import { fillsFor, isSpecial } from "./special-fills";

/** Width and height of a cell in CSS pixels: whole, large enough to see, small enough to fit. */
export function cellSize(frame: FrameAnswer, room: number): [width: number, height: number] {
  const [rows, columns] = [frame.values.length, frame.values[0]?.length ?? 1];
  const inRoom = (n: number, most: number) => Math.max(2, Math.min(22, Math.floor(most / n)));
  return [inRoom(columns, room), inRoom(rows, 320)];
}

export function paintMotion(
  canvas: HTMLCanvasElement,
  motion: MotionAnswer,
  frame: FrameAnswer,
  size: readonly [number, number],
  dark: boolean,
): void {
  const ratio = window.devicePixelRatio || 1;
  const [wide, high] = size.map((s) => s * ratio) as [number, number];
  canvas.width = Math.round(wide * (frame.values[0]?.length ?? 1));
  canvas.height = Math.round(high * frame.values.length);
  const context = canvas.getContext("2d");
  if (!context) return;
  const fills = fillsFor(context, dark, ratio);
  frame.values.forEach((cells, row) => {
    cells.forEach((cell, column) => {
      const kind = kindOf(cell, "log");
      context.fillStyle = isSpecial(kind)
        ? fills[kind]
        : css(viridis(position(cell as number, motion.domain ?? [1, 1], "log")));
      const [x, y] = [Math.floor(column * wide), Math.floor(row * high)];
      context.fillRect(x, y, Math.floor((column + 1) * wide) - x, Math.floor((row + 1) * high) - y);
    });
  });
}
