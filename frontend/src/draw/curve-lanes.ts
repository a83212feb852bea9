// The lanes below a curve, for values that have no place on its scale: each has a label, and a mark for each bucket.
import type { Cell, CurveAnswer } from "../lib/api";
import { isSpecial, kindOf, type Scale, type SpecialKind } from "../lib/cells";
import type { Buckets } from "../lib/slots";
import { type Plot, xIn } from "./curve-lines";
import { inkOf } from "./ink";
import { specialFills } from "./special-fills";

const LANE_HEIGHT = 15; // CSS pixels, as all sizes here
const LANE_MARGIN = 5; // above the first lane, so that its label is not that of the lowest tick
const [MARK_HEIGHT, LEAST_MARK] = [8, 3];

type Values = Pick<CurveAnswer, "low" | "high" | "last">;

export interface Lane {
  kind: SpecialKind;
  label: string;
  buckets: number[]; // those with such a value
}

/** The kinds of a bucket's values that have lanes. */
function laneKinds({ low, high, last }: Values, bucket: number, scale: Scale): Set<SpecialKind> {
  const kinds = [high, low, last].map((cells) => kindOf(cells[bucket], scale));
  return new Set(kinds.filter(isSpecial).filter((kind) => kind !== "missing"));
}

function labelOf(kind: SpecialKind, cells: readonly Cell[]): string {
  if (kind === "zero") return cells.some((cell) => typeof cell === "number" && cell < 0) ? "≤ 0" : "0";
  return kind === "none" ? "None" : kind === "infinite" ? "Inf" : "NaN";
}

/** One lane for each kind of value that occurs and has no place on the scale. */
export function lanesOf(values: Values, scale: Scale): Lane[] {
  const kinds = values.high.map((_, bucket) => laneKinds(values, bucket, scale));
  return (["zero", "none", "infinite", "nan"] as const).flatMap((kind) => {
    const buckets = kinds.flatMap((of, bucket) => (of.has(kind) ? [bucket] : []));
    const label = labelOf(kind, [...values.low, ...values.last]);
    return buckets.length > 0 ? [{ kind, label, buckets }] : [];
  });
}

/** The height of the lanes and of the margin above them. */
export function lanesHeight(lanes: number): number {
  return lanes === 0 ? 0 : LANE_MARGIN + lanes * LANE_HEIGHT;
}

/** Draws the lanes below the plot; a mark is as wide as its bucket. */
export function drawLanes(
  ctx: CanvasRenderingContext2D,
  lanes: readonly Lane[],
  { first, last }: Buckets,
  plot: Plot,
  dark: boolean,
): void {
  const { left, width, span, ratio } = plot;
  const fills = specialFills(ctx, dark, ratio);
  const ink = inkOf(dark);
  const x = xIn(plot);
  ctx.font = `${11 * ratio}px system-ui, sans-serif`;
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  lanes.forEach(({ kind, label, buckets }, i) => {
    const y = plot.bottom + (LANE_MARGIN + i * LANE_HEIGHT) * ratio;
    ctx.fillStyle = ink.grid;
    ctx.fillRect(left, y, width, ratio);
    ctx.fillStyle = ink.label;
    ctx.fillText(label, left - 9 * ratio, y + (LANE_HEIGHT / 2) * ratio);
    ctx.fillStyle = fills[kind];
    for (const bucket of buckets) {
      const [from, to] = [first[bucket] as number, last[bucket] as number];
      if (to < span.from || from > span.to) continue;
      const start = Math.max(left, x(from - 0.5));
      const end = Math.min(left + width, Math.max(start + LEAST_MARK * ratio, x(to + 0.5)));
      ctx.fillRect(start, y + ((LANE_HEIGHT - MARK_HEIGHT) / 2) * ratio, end - start, MARK_HEIGHT * ratio);
    }
  });
}
