// Where a bucket of steps lies on the shared x axis, and which bucket or row is under the pointer.
// A bucket is a range of neighbouring steps that is drawn as one cell.

export interface Span {
  from: number; // first step of the axis
  to: number; // last step of the axis
}

/** The axis of a launch: from its first to its last recorded step. It is never empty. */
export function spanOf(first: readonly number[], last: readonly number[]): Span {
  const from = first[0] ?? 0;
  const to = last[last.length - 1] ?? from;
  return { from, to: to > from ? to : from + 1 };
}

export function sameSpan(a: Span | null, b: Span | null): boolean {
  return a === b || (a !== null && b !== null && a.from === b.from && a.to === b.to);
}

/** One axis for several launches. `own` and `others`: their first and last recorded step, or nothing. */
export function commonSpan(
  own: readonly number[],
  others: readonly (readonly number[])[],
  lastStep: number,
): Span {
  const steps = [...(own.length > 0 ? own : [1, lastStep]), ...others.flat()];
  return spanOf([Math.min(...steps)], [Math.max(...steps)]);
}

/** The middle of a step in pixels. A step is as wide as all others, and the axis begins and ends with a whole one. */
export function xOf(step: number, span: Span, width: number): number {
  return ((step - span.from + 0.5) / (span.to - span.from + 1)) * width;
}

/** The steps from `first` to `last` in pixels. */
export function edgesOf(
  first: number,
  last: number,
  span: Span,
  width: number,
): [left: number, right: number] {
  return [xOf(first - 0.5, span, width), xOf(last + 0.5, span, width)];
}

/** The step at `x`, a whole number. */
export function stepAt(x: number, span: Span, width: number): number {
  const at = Math.round(span.from - 0.5 + (x / width) * (span.to - span.from + 1));
  return Math.min(span.to, Math.max(span.from, at));
}

/** Index of the last bucket that begins at or before `step` (0 before the first); -1 without buckets. */
export function bucketAt(step: number, first: readonly number[]): number {
  let low = 0;
  let high = first.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((first[middle] as number) <= step) low = middle + 1;
    else high = middle;
  }
  return first.length === 0 ? -1 : Math.max(0, low - 1);
}

/** The chosen steps, cut to the whole axis; the whole axis if nothing is left of them. */
export function zoomed(whole: Span, steps: Span | null): Span {
  const from = Math.max(whole.from, steps?.from ?? whole.from);
  const to = Math.min(whole.to, steps?.to ?? whole.to);
  return to > from ? { from, to } : whole;
}

export function isWhole(span: Span, whole: Span): boolean {
  return span.from <= whole.from && span.to >= whole.to;
}

/** Moves a span by `by` of its widths and makes it `wider` times as wide, inside the whole and in whole steps. */
export function moved(span: Span, whole: Span, by: number, wider = 1): Span {
  const width = Math.min(whole.to - whole.from, Math.max(1, (span.to - span.from) * wider));
  const middle = (span.from + span.to) / 2 + by * (span.to - span.from);
  const from = Math.min(whole.to - width, Math.max(whole.from, middle - width / 2));
  return { from: Math.round(from), to: Math.round(from + width) };
}

export function rowAt(y: number, height: number, rows: number): number {
  const row = Math.floor(y / height);
  return row >= 0 && row < rows ? row : -1;
}

/** Round steps for about `count` ticks. */
export function ticksOf(span: Span, count: number): number[] {
  const rough = (span.to - span.from) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const unit = [1, 2, 5, 10].find((u) => u * power >= rough) ?? 10;
  const gap = Math.max(1, unit * power);
  const ticks: number[] = [];
  for (let t = Math.ceil(span.from / gap) * gap; t <= span.to; t += gap) ticks.push(t);
  return ticks;
}

/** Those of ascending ticks that are at least so many powers of ten apart, so that their labels do not overlap. */
function apart(ticks: number[], powers: number): number[] {
  const kept: number[] = [];
  for (const tick of ticks) {
    const last = kept[kept.length - 1];
    if (last === undefined || Math.log10(tick / last) >= powers) kept.push(tick);
  }
  return kept;
}

/** Values to label on a logarithmic axis: powers of ten if there are two or more, else 1, 2, 5, else round values. */
export function logTicks(low: number, high: number, count: number): number[] {
  const [from, to] = [Math.log10(low), Math.log10(high)];
  const powers: number[] = [];
  for (let p = Math.ceil(from - 1e-9); p <= to + 1e-9; p++) powers.push(p);
  if (powers.length >= 2) {
    const every = Math.ceil(powers.length / count);
    return powers.filter((_, i) => i % every === 0).map((p) => Number(`1e${p}`));
  }
  const inside = (v: number) => v >= low && v <= high;
  const multiples = (factors: number[]) =>
    factors.map((f) => Number(`${f}e${Math.floor(from)}`)).filter(inside);
  const rough = multiples([1, 2, 5, 10, 20, 50]);
  if (rough.length >= 2) return rough;
  const fine = apart(
    multiples([1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20, 30, 40, 50]),
    (to - from) / (count + 1),
  );
  if (fine.length >= 2) return fine;
  const at = (i: number) => 10 ** (from + ((i + 0.5) / count) * (to - from));
  return [...new Set(Array.from({ length: count }, (_, i) => Number(at(i).toPrecision(2))))].filter(inside);
}

/** The first and last row of each group of neighbouring rows: [3, 1, 2, 7] -> [[1, 3], [7, 7]]. */
export function rowRanges(rows: readonly number[]): [number, number][] {
  const ranges: [number, number][] = [];
  for (const row of [...new Set(rows)].sort((a, b) => a - b)) {
    const open = ranges[ranges.length - 1];
    if (open && row === open[1] + 1) open[1] = row;
    else ranges.push([row, row]);
  }
  return ranges;
}
