// One uPlot chart per curve: a band from the lowest to the highest value of each bucket, and the last value as a line.
import uPlot from "uplot";
import type { CurveAnswer } from "../lib/api";
import { bucketAt, bucketEnding, logTicks, type Span, ticksOf } from "../lib/buckets";
import { kindOf, numberOf } from "../lib/cells";
import { formatTick } from "../lib/format";
import { gutterOf, plotWidth, RIGHT } from "../lib/layout";
import { fillsFor, isSpecial } from "./special-fills";

export interface PlotInput {
  steps: number[];
  curve: CurveAnswer;
  span: Span; // as it is when the plot is made; afterwards `follow` moves it
  width: number;
  dark: boolean;
  axis: boolean; // the last chart of a group carries the step axis
  others: { steps: number[]; curve: CurveAnswer }[]; // of runs that are compared, on the same scale
}

// Of the runs that are compared: colours that all common colour blindness tells apart, and a dash of its own each.
const OTHERS = [
  ["#b34700", "#ffab66"],
  ["#6b4a9b", "#c9aef5"],
  ["#00695c", "#5fd3c4"],
] as const;
export const DASHES = [
  [7, 3],
  [2, 3],
  [10, 3, 2, 3],
];

export function otherInk(place: number, dark: boolean): string {
  return (OTHERS[place % OTHERS.length] as (typeof OTHERS)[number])[dark ? 1 : 0];
}

const HEIGHT = 76;
const AXIS = 30;

interface Ink {
  line: string;
  band: string;
  grid: string;
  text: string;
}

const INK: Record<"light" | "dark", Ink> = {
  light: { line: "#1a5fb4", band: "rgba(26,95,180,0.22)", grid: "#e4e7eb", text: "#50565e" },
  dark: { line: "#7fb5ff", band: "rgba(127,181,255,0.26)", grid: "#31363d", text: "#aab1ba" },
};

function dataOf({ steps, curve }: PlotInput): uPlot.AlignedData {
  const { scale } = curve.quantity;
  const numbers = (cells: CurveAnswer["low"]) => cells.map((cell) => numberOf(cell, scale));
  return [steps, numbers(curve.high), numbers(curve.low), numbers(curve.last)];
}

/** What the other runs' curves say at these steps: the last value recorded up to each. */
function otherData({ steps, curve, others }: PlotInput): (number | null)[][] {
  return others.map((other) =>
    steps.map((step) => {
      const at = bucketAt(step, other.steps);
      const beyond =
        at < 0 || step < (other.steps[0] ?? 0) || step > (other.steps[other.steps.length - 1] ?? 0);
      return beyond ? null : numberOf(other.curve.last[at], curve.quantity.scale);
    }),
  );
}

/** The band in which the quantity usually lies, behind everything else. */
function drawUsual(u: uPlot, { curve, dark }: PlotInput): void {
  if (!curve.usual) return;
  const { low, high } = curve.usual;
  const bottom = u.bbox.top + u.bbox.height;
  const place = (value: number, none: number) =>
    value > 0 || curve.quantity.scale !== "log" ? u.valToPos(value, "y", true) : none;
  const top = Math.max(u.bbox.top, place(high, u.bbox.top));
  const end = Math.min(bottom, place(low, bottom));
  if (end <= top) return;
  u.ctx.fillStyle = dark ? "rgba(127,211,154,0.16)" : "rgba(28,107,56,0.11)";
  u.ctx.fillRect(u.bbox.left, top, u.bbox.width, end - top);
}

function yRange(scale: CurveAnswer["quantity"]["scale"]): uPlot.Range.Function {
  return (_, low, high) => {
    if (scale === "share") return [-0.04, 1.04];
    if (low == null || high == null) return scale === "log" ? [0.1, 1] : [0, 1];
    if (low === 0 && high === 0) return [-0.04, 1.04];
    if (scale === "log") {
      const pad = Math.max(1.15, (high / low) ** 0.1);
      return low === high ? [low / 3, high * 3] : [low / pad, high * pad];
    }
    return uPlot.rangeNum(low, high, 0.1, true);
  };
}

/** Buckets without a number on this scale: a hatched mark at the top, for zeros on a log scale at the bottom. */
function drawSpecial(u: uPlot, input: PlotInput): void {
  const { curve, steps, dark } = input;
  const ratio = uPlot.pxRatio;
  const fills = fillsFor(u.ctx, dark, ratio);
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

function axes(input: PlotInput, ink: Ink, spanNow: () => Span): uPlot.Axis[] {
  const look = { stroke: ink.text, font: "11px system-ui, sans-serif" };
  const thin = (stroke: string) => ({ stroke, width: 1, size: 4 });
  const label = (v: number) =>
    input.curve.quantity.scale === "share" ? `${formatTick(100 * v)} %` : formatTick(v);
  const nothing = !input.curve.high.some((cell) => numberOf(cell, input.curve.quantity.scale) !== null);
  return [
    {
      ...look,
      show: input.axis,
      size: AXIS,
      space: 70,
      grid: thin(ink.grid),
      ticks: thin(ink.grid),
      splits: () => ticksOf(spanNow(), plotWidth(input.width) / 110),
      values: (_, splits) => splits.map(formatTick),
    },
    {
      ...look,
      size: gutterOf(input.width),
      space: 24,
      ...(input.curve.quantity.scale === "log" && {
        splits: (_: uPlot, __: number, low: number, high: number) => logTicks(low, high, 3),
        filter: (_: uPlot, splits: number[]) => splits,
      }),
      grid: thin(ink.grid),
      ticks: thin(ink.grid),
      values: (_, splits) => splits.map((v) => (v == null || nothing ? "" : label(v))),
    },
  ];
}

/** A chart, and how its axis is moved without making it anew. */
export interface Made {
  plot: uPlot;
  follow: (span: Span) => void;
}

export function makePlot(root: HTMLElement, input: PlotInput, onIndex: (index: number | null) => void): Made {
  const ink = INK[input.dark ? "dark" : "light"];
  const { scale } = input.curve.quantity;
  let { span } = input;
  const hidden = { stroke: "transparent", points: { show: false } };
  const plot = new uPlot(
    {
      width: input.width,
      height: HEIGHT + (input.axis ? AXIS : 0),
      padding: [6, RIGHT, input.axis ? 0 : 6, 0],
      legend: { show: false },
      cursor: {
        sync: { key: "weightwatch", scales: ["x", null] },
        drag: { x: false, y: false },
        y: false,
        dataIdx: (_u, _series, _nearest, step) => bucketEnding(step, input.steps), // as the heat map counts
        points: { size: 6 },
      },
      scales: {
        x: { time: false, range: () => [span.from, span.to] },
        y: { distr: scale === "log" ? 3 : 1, range: yRange(scale) },
      },
      axes: axes(input, ink, () => span),
      series: [
        {},
        hidden,
        hidden,
        { stroke: ink.line, width: 1.5, points: { show: input.steps.length < 2 } },
        ...input.others.map((_, i) => ({
          stroke: otherInk(i, input.dark),
          width: 1.5,
          dash: DASHES[i % DASHES.length] as number[],
          points: { show: false },
        })),
      ],
      bands: [{ series: [1, 2], fill: ink.band }],
      hooks: {
        drawClear: [(u) => drawUsual(u, input)],
        draw: [(u) => drawSpecial(u, input)],
        setCursor: [(u) => onIndex(u.cursor.idx == null ? null : (u.cursor.idxs?.[3] ?? null))],
      },
    },
    [...dataOf(input), ...otherData(input)] as uPlot.AlignedData,
    root,
  );
  const follow = (to: Span) => {
    if (to.from === span.from && to.to === span.to) return;
    span = to;
    plot.setScale("x", { min: to.from, max: to.to });
  };
  return { plot, follow };
}
