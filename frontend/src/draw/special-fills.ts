// A colour and a hatching of its own for each kind of cell that is not a number on the scale.
import { type Kind, SPECIAL } from "../lib/cells";

type Special = (typeof SPECIAL)[number];

interface Hatch {
  back: [light: string, dark: string];
  line: [light: string, dark: string];
  lines: [x0: number, y0: number, x1: number, y1: number][]; // in a tile of 8
}

const HATCHES: Record<Special, Hatch> = {
  nan: {
    back: ["#d81b60", "#e0356f"],
    line: ["#ffffff", "#2a0010"],
    lines: [
      [-2, 10, 10, -2],
      [-2, 2, 2, -2],
      [6, 10, 10, 6],
    ],
  },
  infinite: {
    back: ["#ff7043", "#ff8a5c"],
    line: ["#3e1000", "#3e1000"],
    lines: [
      [-2, -2, 10, 10],
      [-2, 10, 10, -2],
    ],
  },
  none: {
    back: ["#9aa0a6", "#80868b"],
    line: ["#202124", "#e8eaed"],
    lines: [[2, 0, 2, 8]],
  },
  zero: {
    back: ["#1b1524", "#000000"],
    line: ["#8d86a0", "#8d86a0"],
    lines: [[0, 4, 8, 4]],
  },
  missing: {
    back: ["#f1f3f5", "#22262b"],
    line: ["#c3c8ce", "#454b53"],
    lines: [[-2, -2, 10, 10]],
  },
};

const cache = new Map<string, HTMLCanvasElement>();

function tile(kind: Special, dark: boolean, ratio: number): HTMLCanvasElement {
  const key = `${kind}${dark}${ratio}`;
  const known = cache.get(key);
  if (known) return known;
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = Math.round(8 * ratio);
  const context = canvas.getContext("2d");
  const hatch = HATCHES[kind];
  const shade = dark ? 1 : 0;
  if (context) {
    context.scale(canvas.width / 8, canvas.height / 8);
    context.fillStyle = hatch.back[shade];
    context.fillRect(0, 0, 8, 8);
    context.strokeStyle = hatch.line[shade];
    context.lineWidth = 1.2;
    for (const [x0, y0, x1, y1] of hatch.lines) {
      context.beginPath();
      context.moveTo(x0, y0);
      context.lineTo(x1, y1);
      context.stroke();
    }
  }
  cache.set(key, canvas);
  return canvas;
}

export type Fills = Record<Special, CanvasPattern | string>;

/** Fill styles in device pixels. */
export function fillsFor(context: CanvasRenderingContext2D, dark: boolean, ratio: number): Fills {
  const fill = (kind: Special) =>
    context.createPattern(tile(kind, dark, ratio), "repeat") ?? HATCHES[kind].back[0];
  return Object.fromEntries(SPECIAL.map((kind) => [kind, fill(kind)])) as Fills;
}

export function isSpecial(kind: Kind): kind is Special {
  return kind !== "number";
}
