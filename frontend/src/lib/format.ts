// Numbers, names and texts as the page shows them.
import type { Cell, QuantityAnswer, RunEntry } from "./api";

const DIGITS = 3; // significant ones

/**
 * A number in the form that people read: "12,300", "0.31", "1e-3", "NaN"; as `tb_weightwatch.verdict.number` writes it.
 * Integers below a million have all their digits, others `digits`. Below 0.01 and from a million on there is an exponent.
 */
export function formatNumber(value: number, digits = DIGITS): string {
  if (!Number.isFinite(value)) return String(value).replace("Infinity", "Inf");
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e6) return formatCount(value);
  const rounded = Number(value.toPrecision(digits));
  if (Math.abs(rounded) >= 1e-2 && Math.abs(rounded) < 1e6)
    return rounded.toLocaleString("en-US", { maximumSignificantDigits: digits });
  const [mantissa, exponent] = rounded.toExponential().split("e") as [string, string];
  return `${mantissa}e${Number(exponent)}`;
}

export function formatCell(cell: Cell | undefined): string {
  if (cell === null || cell === undefined) return "not recorded";
  return typeof cell === "number" ? formatNumber(cell) : cell.replace("Infinity", "Inf");
}

/** Percent. Only a share of exactly 1 is "100 %". */
export function formatShare(share: number): string {
  const text = formatNumber(100 * share);
  if (share > 0 && share < 1 && text === "100") return "> 99.9 %";
  return `${text} %`;
}

/** A cell with its unit; shares in percent. */
export function formatValue(
  cell: Cell | undefined,
  quantity: Pick<QuantityAnswer, "scale" | "unit">,
): string {
  if (typeof cell !== "number") return formatCell(cell);
  if (quantity.scale === "share") return formatShare(cell);
  return quantity.unit ? `${formatNumber(cell)} ${quantity.unit}` : formatNumber(cell);
}

/** The values of a bucket: one value, or its smallest to its largest. */
export function formatRange(
  low: Cell | undefined,
  high: Cell | undefined,
  quantity: Pick<QuantityAnswer, "scale" | "unit">,
): string {
  return low === high
    ? formatValue(high, quantity)
    : `${formatValue(low, quantity)} to ${formatValue(high, quantity)}`;
}

/** 5000 -> "5,000", in every locale of the browser, because the backend's texts are English too. */
export function formatCount(value: number): string {
  return value.toLocaleString("en-US");
}

const MOST_DIGITS = 12;

/** The labels of an axis' ticks, with as many digits as tell them apart. */
export function formatTicks(values: readonly number[]): string[] {
  for (let digits = DIGITS; digits < MOST_DIGITS; digits++) {
    const labels = values.map((value) => formatNumber(value, digits));
    if (new Set(labels).size === values.length) return labels;
  }
  return values.map((value) => formatNumber(value, MOST_DIGITS));
}

export function formatSteps(first: number, last: number): string {
  return first === last ? `step ${formatCount(first)}` : `steps ${formatCount(first)}–${formatCount(last)}`;
}

/** "row 5", or "rows 5–6" where cell `index` of a picture covers several lines of the variable. */
export function formatLines(word: string, index: number, perCell: number, count: number): string {
  const first = index * perCell;
  const last = Math.min(count, first + perCell) - 1;
  return first >= last
    ? `${word} ${formatCount(first)}`
    : `${word}s ${formatCount(first)}–${formatCount(last)}`;
}

export function plural(count: number, singular: string): string {
  return `${formatCount(count)} ${count === 1 ? singular : `${singular}s`}`;
}

// C0 and C1 controls, soft hyphen, zero-width and bidirectional marks, byte order mark, tag characters.
const HIDDEN = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** A name from disk, without invisible characters and those that reorder text. */
export function cleanName(name: string): string {
  return name.replace(HIDDEN, "");
}

/** The same for a text; it keeps its line breaks. */
export function cleanText(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(HIDDEN, (c) => (c === "\n" ? c : c === "\t" ? "    " : ""));
}

/** "encoder/block_3/attention/kernel" -> "encoder/blo…on/kernel": the end of a name matters more than its middle. */
export function ellipsis(name: string, limit: number): string {
  const letters = [...name];
  if (letters.length <= limit) return name;
  const keep = Math.max(2, limit - 1);
  const head = Math.floor(keep * 0.4);
  return `${letters.slice(0, head).join("")}…${letters.slice(letters.length - (keep - head)).join("")}`;
}

/** The common beginning of the names, in whole parts ("encoder/"); "" if there is none, or only one name. */
export function sharedStart(names: readonly string[]): string {
  const [first = "", ...rest] = names;
  if (rest.length === 0) return "";
  const parts = first.split(/(?<=\/)/).slice(0, -1);
  let shared = "";
  for (const part of parts) {
    if (!rest.every((name) => name.startsWith(shared + part))) break;
    shared += part;
  }
  return shared;
}

/** A path of at most `limit` letters. Its longest parts without a digit are cut first: numbers identify the block. */
export function shortPath(name: string, limit: number): string {
  const parts = name.split("/");
  const length = () => parts.join("/").length;
  while (length() > limit) {
    const open = parts.map((part, i) => (i < parts.length - 1 && !/[\d…]/.test(part) ? part.length : 0));
    const longest = Math.max(...open);
    if (longest <= 4) break;
    const at = open.lastIndexOf(longest);
    const keep = Math.max(3, longest - (length() - limit) - 1);
    parts[at] = `${(parts[at] as string).slice(0, keep)}…`;
  }
  return length() > limit ? ellipsis(name, limit) : parts.join("/");
}

/** The name of a run as the page shows it. */
export function runLabel(runs: readonly RunEntry[] | undefined, run: string): string {
  return cleanName(runs?.find((r) => r.run === run)?.label ?? run);
}

/** A text of the backend, in which no line breaks at an arrow or before a percent sign. */
export function prose(text: string): string {
  return cleanText(text)
    .replace(/ -> /g, "\u00a0→\u00a0")
    .replace(/(\d) %/g, "$1\u00a0%");
}

/** The same as a sentence: its first letter is a capital one, and it ends with a full stop. */
export function sentence(text: string): string {
  const words = prose(text).trim();
  return words === "" ? "" : `${words[0]?.toUpperCase()}${words.slice(1).replace(/\.$/, "")}.`;
}

/** Whether two texts are the same but for white space around them and a full stop. */
export function sameText(a: string, b: string): boolean {
  const bare = (text: string) => cleanText(text).trim().replace(/\.$/, "");
  return bare(a) === bare(b);
}

export interface Block {
  kind: "text" | "code";
  text: string;
}

/** Splits a text into paragraphs and code. Lines of code are indented by four spaces. */
export function splitBlocks(source: string): Block[] {
  const blocks: Block[] = [];
  let open: Block | null = null;
  for (const line of cleanText(source).split("\n")) {
    const code = line.startsWith("    ");
    if (line.trim() === "") {
      if (open?.kind === "code") open.text += "\n";
      else open = null;
    } else if (open && open.kind === (code ? "code" : "text")) {
      open.text += code ? `\n${line.slice(4)}` : ` ${line.trim()}`;
    } else {
      open = { kind: code ? "code" : "text", text: code ? line.slice(4) : line.trim() };
      blocks.push(open);
    }
  }
  return blocks.map((block) => ({ ...block, text: block.text.trimEnd() }));
}
