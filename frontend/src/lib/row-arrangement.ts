// The order of a heat map's rows, and which of them are folded into blocks.
import type { Cell, HeatmapAnswer } from "./api";

/** The orders, as the page names them. */
export const ROW_ORDERS = { model: "input to output", worst: "worst first", block: "by block" } as const;
export type RowOrder = keyof typeof ROW_ORDERS;

/** A heat map as it is drawn. A row is a variable, or a block of several variables (`members`). */
export interface ArrangedHeatmap extends HeatmapAnswer {
  members: (string[] | null)[]; // [R] null: a single variable
  open: boolean[]; // [R] whether the rows below a block are its members
}

interface Block {
  name: string;
  rows: number[];
}

const MAX_BLOCKS = 160;
const MAX_CHUNKS = 48; // where the names have no common parts

export function toRowOrder(text: string): RowOrder {
  return Object.hasOwn(ROW_ORDERS, text) ? (text as RowOrder) : "model";
}

/** Groups rows whose names share their first `depth` parts. */
function groupByPrefix(parts: readonly string[][], depth: number): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  parts.forEach((nameParts, row) => {
    const prefix = nameParts.slice(0, depth).join("").replace(/[/_]$/, "");
    const rows = groups.get(prefix);
    if (rows) rows.push(row);
    else groups.set(prefix, [row]);
  });
  return groups;
}

/** Blocks of rows whose names share a prefix, as many as come closest to √rows; without such names, equal chunks. */
export function blocksOf(names: readonly string[]): Block[] {
  const parts = names.map((name) => name.split(/(?<=[/_])/));
  const deepest = Math.max(1, ...parts.map((p) => p.length));
  const distance = (count: number) => Math.abs(Math.log(count / Math.sqrt(names.length)));
  let best: Map<string, number[]> | null = null;
  for (let depth = deepest - 1; depth > 0; depth--) {
    const groups = groupByPrefix(parts, depth);
    const fits = groups.size > 1 && groups.size <= Math.min(MAX_BLOCKS, names.length / 2);
    // Of two equally good depths the shorter names win.
    if (fits && (!best || distance(groups.size) <= distance(best.size))) best = groups;
  }
  return best ? [...best].map(([name, rows]) => ({ name, rows })) : chunksOf(names);
}

function chunksOf(names: readonly string[]): Block[] {
  const size = Math.max(2, Math.ceil(names.length / MAX_CHUNKS));
  return Array.from({ length: Math.ceil(names.length / size) }, (_, i) => {
    const rows = names.slice(i * size, (i + 1) * size).map((_, j) => i * size + j);
    return { name: `${names[i * size]} … ${names[rows[rows.length - 1] as number]}`, rows };
  });
}

/** The extreme of several cells: non-numbers win over numbers, and numbers over "not recorded". */
export function extreme(cells: readonly (Cell | undefined)[], pick: (a: number, b: number) => number): Cell {
  let result: Cell = null;
  for (const cell of cells) {
    if (cell === null || cell === undefined) continue;
    if (typeof cell === "string") return cell;
    result = typeof result === "number" ? pick(result, cell) : cell;
  }
  return result;
}

/** One row of cells that stands for several rows. */
function folded(
  cells: Cell[][],
  rows: number[],
  columns: number,
  pick: (a: number, b: number) => number,
): Cell[] {
  return Array.from({ length: columns }, (_, c) =>
    extreme(
      rows.map((row) => cells[row]?.[c]),
      pick,
    ),
  );
}

function reordered(heatmap: HeatmapAnswer, rows: readonly number[]): ArrangedHeatmap {
  const take = <T>(items: T[]) => rows.map((row) => items[row] as T);
  return {
    ...heatmap,
    names: take(heatmap.names),
    low: take(heatmap.low),
    high: take(heatmap.high),
    members: rows.map(() => null),
    open: rows.map(() => false),
  };
}

function inBlocks(heatmap: HeatmapAnswer, openBlocks: ReadonlySet<string>): ArrangedHeatmap {
  const arranged: ArrangedHeatmap = { ...heatmap, names: [], low: [], high: [], members: [], open: [] };
  const addRow = (name: string, low: Cell[], high: Cell[], members: string[] | null, open: boolean) => {
    arranged.names.push(name);
    arranged.low.push(low);
    arranged.high.push(high);
    arranged.members.push(members);
    arranged.open.push(open);
  };
  const nameOf = (row: number) => heatmap.names[row] as string;
  const columns = heatmap.first.length;
  for (const { name, rows } of blocksOf(heatmap.names)) {
    const low = folded(heatmap.low, rows, columns, Math.min);
    const high = folded(heatmap.high, rows, columns, Math.max);
    const open = openBlocks.has(name);
    addRow(name, low, high, rows.map(nameOf), open);
    if (open)
      for (const row of rows)
        addRow(nameOf(row), heatmap.low[row] ?? [], heatmap.high[row] ?? [], null, false);
  }
  return arranged;
}

export function arrange(
  heatmap: HeatmapAnswer,
  order: RowOrder,
  openBlocks: ReadonlySet<string>,
): ArrangedHeatmap {
  if (order === "block") return inBlocks(heatmap, openBlocks);
  return reordered(heatmap, order === "worst" ? heatmap.worst : heatmap.names.map((_, row) => row));
}

/** The rows of these variables: their own, and closed blocks that contain one of them. */
export function rowsOf(heatmap: ArrangedHeatmap, variables: readonly string[]): number[] {
  const names = new Set(variables);
  return heatmap.names.flatMap((name, row) => {
    const members = heatmap.members[row];
    const matches = members ? !heatmap.open[row] && members.some((m) => names.has(m)) : names.has(name);
    return matches ? [row] : [];
  });
}

/** One colour scale for several heat maps: from the smallest to the largest of their values. */
export function commonDomain(heatmaps: readonly Pick<HeatmapAnswer, "domain">[]): [number, number] | null {
  const domains = heatmaps.flatMap(({ domain }) => (domain ? [domain] : []));
  return domains.length === 0
    ? null
    : [Math.min(...domains.map((d) => d[0])), Math.max(...domains.map((d) => d[1]))];
}
