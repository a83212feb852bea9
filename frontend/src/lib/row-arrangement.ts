// In which order the rows of a heat map stand, and which of them are folded into blocks.
import type { Cell, HeatmapAnswer } from "./api";

export const ORDERS = { "": "input to output", worst: "worst first", block: "by block" } as const;
export type Order = keyof typeof ORDERS;

/** A heat map as drawn: a row is a variable, or a block of several (`members`), open or not. */
export interface Arranged extends HeatmapAnswer {
  members: (string[] | null)[];
  open: boolean[];
}

const MOST_BLOCKS = 160;
const MOST_CHUNKS = 48; // where names tell nothing

export function orderOf(text: string): Order {
  return text in ORDERS ? (text as Order) : "";
}

/** Blocks by that beginning of the names that gives the handiest number of them; else so many neighbours each. */
export function blocksOf(names: readonly string[]): { name: string; rows: number[] }[] {
  const parts = names.map((name) => name.split(/(?<=[/_])/));
  const depth = Math.max(1, ...parts.map((p) => p.length));
  const handy = (size: number) => Math.abs(Math.log(size / Math.sqrt(names.length)));
  let best: Map<string, number[]> | null = null;
  for (let k = depth - 1; k > 0; k--) {
    const found = new Map<string, number[]>();
    parts.forEach((part, row) => {
      const key = part.slice(0, k).join("").replace(/[/_]$/, "");
      const rows = found.get(key);
      if (rows) rows.push(row);
      else found.set(key, [row]);
    });
    const fits = found.size > 1 && found.size <= Math.min(MOST_BLOCKS, names.length / 2);
    if (fits && (!best || handy(found.size) <= handy(best.size))) best = found; // the shorter name where equal
  }
  if (best) return [...best].map(([name, rows]) => ({ name, rows }));
  const size = Math.max(2, Math.ceil(names.length / MOST_CHUNKS));
  return Array.from({ length: Math.ceil(names.length / size) }, (_, i) => {
    const rows = names.slice(i * size, (i + 1) * size).map((_, j) => i * size + j);
    return { name: `${names[i * size]} … ${names[rows[rows.length - 1] as number]}`, rows };
  });
}

/** The extreme of several cells; what is no number wins, "not recorded" loses. */
export function extreme(cells: readonly (Cell | undefined)[], pick: (a: number, b: number) => number): Cell {
  let found: Cell = null;
  for (const cell of cells) {
    if (cell === null || cell === undefined) continue;
    if (typeof cell === "string") return cell;
    found = typeof found === "number" ? pick(found, cell) : cell;
  }
  return found;
}

function folded(cells: Cell[][], rows: number[], columns: number, pick: (a: number, b: number) => number) {
  return Array.from({ length: columns }, (_, c) =>
    extreme(
      rows.map((row) => cells[row]?.[c]),
      pick,
    ),
  );
}

export function arrange(map: HeatmapAnswer, order: Order, opened: ReadonlySet<string>): Arranged {
  if (order !== "block") {
    const rows = order === "worst" ? map.worst : map.names.map((_, i) => i);
    const take = <T>(items: T[]) => rows.map((row) => items[row] as T);
    const none = rows.map(() => null);
    const closed = rows.map(() => false);
    return {
      ...map,
      names: take(map.names),
      low: take(map.low),
      high: take(map.high),
      members: none,
      open: closed,
    };
  }
  const out: Arranged = { ...map, names: [], low: [], high: [], members: [], open: [] };
  const put = (name: string, low: Cell[], high: Cell[], members: string[] | null, open: boolean) => {
    out.names.push(name);
    out.low.push(low);
    out.high.push(high);
    out.members.push(members);
    out.open.push(open);
  };
  for (const { name, rows } of blocksOf(map.names)) {
    const low = folded(map.low, rows, map.first.length, Math.min);
    const high = folded(map.high, rows, map.first.length, Math.max);
    const open = opened.has(name);
    put(
      name,
      low,
      high,
      rows.map((row) => map.names[row] as string),
      open,
    );
    if (open)
      for (const row of rows)
        put(map.names[row] as string, map.low[row] ?? [], map.high[row] ?? [], null, false);
  }
  return out;
}

/** The rows that stand for any of these variables: their own, and closed blocks that hold one. */
export function rowsFor(map: Arranged, variables: readonly string[]): number[] {
  const wanted = new Set(variables);
  return map.names.flatMap((name, row) => {
    const members = map.members[row];
    return (members ? !map.open[row] && members.some((m) => wanted.has(m)) : wanted.has(name)) ? [row] : [];
  });
}

/** One scale for several maps: from the smallest to the largest of their values. */
export function commonDomain(maps: readonly Pick<HeatmapAnswer, "domain">[]): [number, number] | null {
  const known = maps.flatMap((m) => (m.domain ? [m.domain] : []));
  return known.length === 0
    ? null
    : [Math.min(...known.map((d) => d[0])), Math.max(...known.map((d) => d[1]))];
}
