// Which settings go with which answer: for each answer, the values of one setting that set its runs apart.
import type { RunTableRow, SettingColumn } from "./api-table";
import { numberOf } from "./run-table";

const LEAST_DIFFERENCE = 0.5; // between the share of an answer's runs that have the values, and that of the others
const MOST_CHANCE = 0.05; // that runs which were dealt at random would be divided as clearly by any of the settings

/** Values of a setting that set the runs of an answer apart. */
export interface Pattern {
  setting: SettingColumn;
  values: string; // "= relu", "≥ 0.05"
  inside: number; // runs of the answer that have these values
  group: number; // runs of the answer of which the setting was recorded
  outside: number; // other runs that have these values
  others: number; // other runs of which the setting was recorded
}

/** An answer, and what its runs have in common. */
export interface AnswerGroup {
  headline: string;
  rows: RunTableRow[];
  patterns: Pattern[]; // the clearest; several if they are equally clear
  tooFew: boolean; // a setting divides the runs exactly, but so few runs that it may be chance
}

type Row = Pick<RunTableRow, "settings">;

/** Values of a setting, and how many other sets of values were tried. */
interface Candidate {
  values: ReadonlySet<string>;
  text: string;
  tried: number;
}

const logFactorials = [0];
function logFactorial(n: number): number {
  for (let i = logFactorials.length; i <= n; i++)
    logFactorials.push((logFactorials[i - 1] as number) + Math.log(i));
  return logFactorials[n] as number;
}

/** The logarithm of "n choose k". */
function logChoose(n: number, k: number): number {
  return logFactorial(n) - logFactorial(k) - logFactorial(n - k);
}

/** The chance that at least `inside` of `group` runs are among `marked` ones, if they are drawn from `all` runs. */
export function chanceOf(inside: number, group: number, marked: number, all: number): number {
  let sum = 0;
  for (let k = inside; k <= Math.min(group, marked); k++) {
    if (group - k > all - marked) continue;
    sum += Math.exp(logChoose(marked, k) + logChoose(all - marked, group - k) - logChoose(all, group));
  }
  return sum;
}

// --- candidates

function named(value: string): string {
  return value === "" ? "none" : value;
}

/** The values that most of their runs share with the answer. */
function enriched(counts: ReadonlyMap<string, [inside: number, outside: number]>, share: number): Candidate {
  const chosen = [...counts].filter(([, [inside, outside]]) => inside / (inside + outside) > share);
  const values = chosen.map(([value]) => value).sort();
  return {
    values: new Set(values),
    text: `= ${values.map(named).join(" or ")}`,
    tried: 2 ** counts.size / 2 - 1,
  };
}

/** The range of numbers that sets the runs of the answer apart most clearly. */
function range(
  counts: ReadonlyMap<string, [inside: number, outside: number]>,
  group: number,
  others: number,
): Candidate {
  const sorted = [...counts].sort(([a], [b]) => (numberOf(a) as number) - (numberOf(b) as number));
  const last = sorted.length - 1;
  let best = { clearness: -1, from: 0, to: last };
  for (let from = 0; from <= last; from++) {
    let clearness = 0;
    for (let to = from; to <= last; to++) {
      const [inside, outside] = (sorted[to] as (typeof sorted)[number])[1];
      clearness += inside / group - outside / others;
      if (clearness > best.clearness + 1e-9) best = { clearness, from, to };
    }
  }
  const [low, high] = [sorted[best.from]?.[0] ?? "", sorted[best.to]?.[0] ?? ""];
  const text =
    best.from === best.to
      ? `= ${low}`
      : best.from === 0
        ? `≤ ${high}`
        : best.to === last
          ? `≥ ${low}`
          : `from ${low} to ${high}`;
  const values = new Set(sorted.slice(best.from, best.to + 1).map(([value]) => value));
  return { values, text, tried: (sorted.length * (sorted.length + 1)) / 2 - 1 };
}

// --- patterns

interface Scored {
  pattern: Pattern;
  clearness: number;
  chance: number;
}

function scored(
  rows: readonly Row[],
  others: readonly Row[],
  setting: SettingColumn,
  at: number,
): Scored | null {
  const valuesOf = (some: readonly Row[]) => some.flatMap(({ settings }) => settings[at] ?? []);
  const [mine, theirs] = [valuesOf(rows), valuesOf(others)];
  if (mine.length === 0 || theirs.length === 0) return null;
  const counts = new Map<string, [number, number]>();
  for (const value of mine) counts.set(value, [(counts.get(value)?.[0] ?? 0) + 1, 0]);
  for (const value of theirs) {
    const [inside, outside] = counts.get(value) ?? [0, 0];
    counts.set(value, [inside, outside + 1]);
  }
  const all = mine.length + theirs.length;
  const isNumeric = counts.size > 2 && [...counts.keys()].every((value) => numberOf(value) !== null);
  const { values, text, tried } = isNumeric
    ? range(counts, mine.length, theirs.length)
    : enriched(counts, mine.length / all);
  const count = (some: readonly string[]) => some.filter((value) => values.has(value)).length;
  const [inside, outside] = [count(mine), count(theirs)];
  return {
    pattern: { setting, values: text, inside, group: mine.length, outside, others: theirs.length },
    clearness: inside / mine.length - outside / theirs.length,
    chance: tried * chanceOf(inside, mine.length, inside + outside, all),
  };
}

function groupOf(
  headline: string,
  rows: RunTableRow[],
  others: readonly Row[],
  settings: readonly SettingColumn[],
): AnswerGroup {
  const all = settings.flatMap((setting, at) => scored(rows, others, setting, at) ?? []);
  const clear = all.filter(({ clearness }) => clearness >= LEAST_DIFFERENCE);
  const certain = clear.filter(({ chance }) => chance * all.length <= MOST_CHANCE);
  const best = Math.max(...certain.map(({ clearness }) => clearness));
  return {
    headline,
    rows,
    patterns: certain.filter(({ clearness }) => clearness > best - 1e-9).map(({ pattern }) => pattern),
    tooFew: certain.length === 0 && clear.some(({ clearness }) => clearness > 1 - 1e-9),
  };
}

/** The answers of the runs in the order of the rows, and the settings that go with each. */
export function answerGroups(
  rows: readonly RunTableRow[],
  settings: readonly SettingColumn[],
): AnswerGroup[] {
  const groups = new Map<string, RunTableRow[]>();
  for (const row of rows) groups.set(row.headline, [...(groups.get(row.headline) ?? []), row]);
  return [...groups].map(([headline, members]) =>
    groupOf(
      headline,
      members,
      rows.filter((row) => row.headline !== headline),
      settings,
    ),
  );
}
