// Tables as text: CSV for a file, tab-separated values for the clipboard.
import type { Cell, CurvesAnswer, HeatmapAnswer, RateCurveAnswer } from "./api";

export type Table = (string | number | null)[][];

/** A CSV field. Text that a spreadsheet would evaluate as a formula gets a leading apostrophe. */
function field(value: string | number | null): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const plain = /^[=+\-@\t\r]/.test(value) && value !== "-Infinity" ? `'${value}` : value;
  return /[",\n\r]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}

export function toCsv(table: Table): string {
  return `${table.map((row) => row.map(field).join(",")).join("\r\n")}\r\n`;
}

export function toTsv(table: Table): string {
  const plain = (value: string | number | null) => String(value ?? "").replace(/[\t\r\n]+/g, " ");
  return table.map((row) => row.map(plain).join("\t")).join("\n");
}

/** One row per bucket: its last recorded step, its ends, and the smallest, largest and last value of each curve. */
export function curvesTable({ curves, first, last, recorded, steps }: CurvesAnswer): Table {
  const head = curves.flatMap(({ quantity: { name } }) => [`${name} low`, `${name} high`, name]);
  const cell = (cells: Cell[], i: number) => cells[i] ?? null;
  const rows = steps.map((step, i) => [
    ...[step, first[i] ?? null, last[i] ?? null, recorded[i] ?? null],
    ...curves.flatMap((c) => [cell(c.low, i), cell(c.high, i), cell(c.last, i)]),
  ]);
  return [["step", "from step", "to step", "recorded steps", ...head], ...rows];
}

type HeatmapTable = Pick<HeatmapAnswer, "quantity" | "names" | "first" | "last" | "high">;

/** One row per variable or layer, one column per bucket: the largest value in the bucket. */
export function heatmapTable({ quantity, names, first, last, high }: HeatmapTable): Table {
  const steps = first.map((from, i) => (from === last[i] ? from : `${from} to ${last[i]}`));
  return [
    [`${quantity.name} (largest at steps)`, ...steps],
    ...names.map((name, row) => [name, ...(high[row] ?? [])]),
  ];
}

/** One row per learning rate that was tried. */
export function ratesTable({ rates, falls }: RateCurveAnswer): Table {
  return [
    ["learning rate", "fall of the loss (share of the loss before)"],
    ...rates.map((rate, i) => [rate, falls[i] ?? null]),
  ];
}
