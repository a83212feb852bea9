// What was recorded at a step. A slot is a bucket of steps, or a gap between two buckets: steps that were not recorded.
// Heat map, curves and read-outs all ask here, so that they name the same steps.
import { bucketAt } from "./buckets";
import { formatCount, formatSteps } from "./format";

/** The buckets of an answer; see `HeatmapAnswer`. */
export interface Buckets {
  covered: readonly number[];
  first: readonly number[];
  last: readonly number[];
  recorded: readonly number[];
}

export interface Slot {
  first: number; // step
  last: number; // step
  recorded: number | null; // how many of its steps were recorded; null: nothing is known of them
  bucket: number; // its index; -1: a gap
}

function slotOfBucket(bucket: number, { first, last, recorded }: Buckets): Slot {
  const [from, to] = [first[bucket] as number, last[bucket] as number];
  return { first: from, last: to, recorded: recorded[bucket] ?? null, bucket };
}

/** The slot of a step. Of a step that the buckets do not cover, nothing is known: it may not be loaded yet. */
export function slotAt(step: number, buckets: Buckets): Slot {
  const { covered, first, last } = buckets;
  const [from, to] = covered;
  if (from === undefined || to === undefined || step < from || step > to)
    return { first: step, last: step, recorded: null, bucket: -1 };
  const at = bucketAt(step, first);
  const before = (first[at] ?? Number.POSITIVE_INFINITY) <= step ? at : -1; // the last bucket that begins before it
  if (before >= 0 && step <= (last[before] as number)) return slotOfBucket(before, buckets);
  const begin = before >= 0 ? (last[before] as number) + 1 : from;
  return { first: begin, last: (first[before + 1] ?? to + 1) - 1, recorded: 0, bucket: -1 };
}

/** The last bucket, which is read while the pointer is nowhere. */
export function lastSlot(buckets: Buckets): Slot | null {
  return buckets.first.length > 0 ? slotOfBucket(buckets.first.length - 1, buckets) : null;
}

/** The first and the last step of all buckets; [] without buckets. */
export function stepsOf({ first, last }: Buckets): number[] {
  return [...first.slice(0, 1), ...last.slice(-1)];
}

export function sameSlot(a: Slot | null, b: Slot | null): boolean {
  return a === b || (a !== null && b !== null && a.first === b.first && a.last === b.last);
}

/** The first and last step of each gap. */
export function gapsOf({ covered, first, last }: Buckets): [number, number][] {
  const [from, to] = covered;
  if (from === undefined || to === undefined) return [];
  const ends = [from - 1, ...last];
  return ends.flatMap((end, i): [number, number][] => {
    const next = first[i] ?? to + 1;
    return next > end + 1 ? [[end + 1, next - 1]] : [];
  });
}

/** The step under the pointer; that of a bucket at most `reach` steps beside it, because a bucket may be a thin line. */
export function stepNear(step: number, buckets: Buckets, reach: number): number {
  const slot = slotAt(step, buckets);
  if (slot.bucket >= 0 || slot.recorded === null) return step;
  const [before, after] = [slot.first - 1, slot.last + 1];
  const beside = [before, after].filter((s) => Math.abs(s - step) <= reach && slotAt(s, buckets).bucket >= 0);
  return beside.sort((a, b) => Math.abs(a - step) - Math.abs(b - step))[0] ?? step;
}

/** "step 97", "steps 97–128: 8 of 32 recorded", "steps 105–120: not recorded", "step 500: no data". */
export function slotText({ first, last, recorded }: Slot): string {
  const steps = formatSteps(first, last);
  if (recorded === null) return `${steps}: no data`;
  if (recorded === 0) return `${steps}: not recorded`;
  const count = last - first + 1;
  return recorded === count ? steps : `${steps}: ${formatCount(recorded)} of ${formatCount(count)} recorded`;
}
