// The table of runs: its columns, how they are sorted, and the same as CSV.
import type { Cell } from "./api";
import type { LinkCell, RunTableRow, SettingColumn } from "./api-table";
import type { Table } from "./csv";

/** Part of the selection (`view`) while the table is shown: "runs", "runs:final", "runs:-final". */
const VIEW = "runs";

export interface Sort {
  key: string; // of a column; "": the order in which the rows are given
  descending: boolean;
}

/** What the table needs of a run; the runs of a comparison have no loss and no settings. */
export type TableRow = Pick<RunTableRow, "run" | "label" | "links" | "last_step" | "status" | "severity"> &
  Pick<RunTableRow, "headline" | "state" | "state_text" | "loss" | "settings">;

export const WORST_FIRST: Sort = { key: "answer", descending: false };

export function viewOf({ key, descending }: Sort): string {
  if (key === WORST_FIRST.key && !descending) return VIEW;
  return `${VIEW}:${descending ? "-" : ""}${key}`;
}

export function sortOf(view: string): Sort {
  const [, descending, key] = /^runs:(-?)(.+)$/.exec(view) ?? [];
  return key ? { key, descending: descending === "-" } : WORST_FIRST;
}

/** The number that a text of the backend holds: "1,024", "> 99.9 %", "3.1e-5", "NaN"; or null. */
export function numberOf(text: string): number | null {
  const plain = text.replace(/[,%<>\s\u00a0]/g, "");
  if (plain === "NaN" || plain === "Inf") return Number.POSITIVE_INFINITY;
  if (plain === "-Inf") return Number.NEGATIVE_INFINITY;
  return plain === "" || Number.isNaN(Number(plain)) ? null : Number(plain);
}

// --- sorting

type SortValue = readonly (string | number)[] | null; // null comes last, in either direction

const STATUSES = ["sick", "undecided", "healthy"];
const SEVERITIES = ["error", "warning", "info", "none"];
const STATES = ["broken", "affected", "suspected", "note", "unknown", "passed"]; // a link that works comes last
const collator = new Intl.Collator("en", { numeric: true });

function rank(order: readonly string[], name: string): number {
  const at = order.indexOf(name);
  return at < 0 ? order.length : at;
}

function linkValue({ state, number, first }: LinkCell): SortValue {
  const size = numberOf(number);
  return [first ? -1 : rank(STATES, state), size === null ? Number.POSITIVE_INFINITY : -size];
}

function lossValue(loss: Cell): SortValue {
  if (loss === null) return null;
  return [typeof loss === "number" ? loss : Number.POSITIVE_INFINITY];
}

function settingValue(text: string | null | undefined): SortValue {
  if (text === null || text === undefined) return null;
  const number = numberOf(text);
  return number === null ? [1, text] : [0, number];
}

function sortValue(row: TableRow, key: string, settings: readonly SettingColumn[]): SortValue {
  const { status, severity, headline, label, last_step, loss } = row;
  if (key === "answer") return [rank(STATUSES, status), rank(SEVERITIES, severity), headline];
  if (key === "run") return [label];
  if (key === "step") return [last_step];
  if (key === "final") return lossValue(loss);
  const link = row.links.find((l) => l.link === key);
  if (link) return linkValue(link);
  return settingValue(row.settings[settings.findIndex(({ name }) => name === key)]);
}

function compareParts(a: string | number, b: string | number): number {
  return typeof a === "number" && typeof b === "number"
    ? Math.sign(a - b) || 0
    : collator.compare(String(a), String(b));
}

/** The rows in the order of a column; rows that are equal in it are sorted by name. */
export function sortedRows<T extends TableRow>(
  rows: readonly T[],
  { key, descending }: Sort,
  settings: readonly SettingColumn[],
): T[] {
  if (key === "") return [...rows]; // as given
  const keyed = rows.map((row) => ({ row, value: sortValue(row, key, settings) }));
  const compare = (a: SortValue, b: SortValue) => {
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    const parts = a.map((part, i) => compareParts(part, b[i] ?? ""));
    const first = parts.find((part) => part !== 0) ?? 0;
    return descending ? -first : first;
  };
  return keyed
    .sort((a, b) => compare(a.value, b.value) || collator.compare(a.row.label, b.row.label))
    .map(({ row }) => row);
}

// --- export

/** The table as it is shown: states and numbers of the links in columns of their own. */
export function runsTable(rows: readonly TableRow[], settings: readonly SettingColumn[]): Table {
  const titles = rows.find((row) => row.links.length > 0)?.links.map(({ title }) => title) ?? [];
  return [
    [
      "run",
      "status",
      "answer",
      ...titles.flatMap((title) => [title, `${title} number`]),
      "last step",
      "final loss",
      ...settings.map(({ label }) => label),
    ],
    ...rows.map((row) => [
      row.label,
      row.status,
      row.headline,
      ...titles.flatMap((_, i) => [row.links[i]?.state ?? null, row.links[i]?.number || null]),
      row.last_step,
      row.loss,
      ...settings.map((_, i) => row.settings[i] ?? null),
    ]),
  ];
}
