// The panel's part of TensorBoard's address: "#weightwatch&p.weightwatch.run=a%2Fb&...".
// This is the only place in which a selection consists of strings.
import type { Span } from "./buckets";
import { toRowOrder } from "./row-arrangement";
import { toRunOrder } from "./run-order";
import { NOTHING, type Selection } from "./selection";

const KEYS = [
  "run",
  "launch",
  "quantity",
  "variable",
  "from",
  "to",
  "order",
  "compare",
  "link",
  "sort",
  "runFilter",
  "verdict",
  "variableFilter",
  "view",
] as const;
type Key = (typeof KEYS)[number];

const TAB = "weightwatch"; // of TensorBoard
const PREFIX = `p.${TAB}.`;

function hashKey(key: Key): string {
  return PREFIX + key;
}

/** A selection as values of the address; what is not chosen is "". */
function toStrings(selection: Selection): Record<Key, string> {
  const { steps, order, compare, sort, ...texts } = selection;
  return {
    ...texts,
    from: steps ? String(steps.from) : "",
    to: steps ? String(steps.to) : "",
    order: order === NOTHING.order ? "" : order,
    compare: compare.join("\n"), // the name of a run has no line break
    sort: sort === NOTHING.sort ? "" : sort,
  };
}

function toSpan(from: string, to: string): Span | null {
  const span = { from: Number(from), to: Number(to) };
  return from !== "" && to !== "" && span.to > span.from ? span : null;
}

function fromStrings(values: Record<Key, string>): Selection {
  const { from, to, order, compare, sort, ...texts } = values;
  return {
    ...texts,
    steps: toSpan(from, to),
    order: toRowOrder(order),
    compare: compare.split("\n").filter((name) => name !== ""),
    sort: toRunOrder(sort),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return ""; // not percent-encoded text
  }
}

/** Whether an address belongs to the panel, and not to another tab of TensorBoard. */
export function isOwnHash(hash: string): boolean {
  const tab = hash
    .replace(/^#/, "")
    .split("&")
    .find((part) => !part.includes("="));
  return !tab || tab === TAB;
}

/** Reads the panel's part of a hash. Parts that are missing or invalid are not chosen. */
export function parseHash(hash: string): Selection {
  const values = toStrings(NOTHING);
  for (const part of hash.replace(/^#/, "").split("&")) {
    const at = part.indexOf("=");
    if (at < 0) continue;
    const key = KEYS.find((k) => hashKey(k) === decode(part.slice(0, at)));
    if (key) values[key] = decode(part.slice(at + 1));
  }
  return fromStrings(values);
}

/** Returns `hash` with the selection written into it; the parts of other plugins stay where they are. */
export function writeHash(hash: string, selection: Selection): string {
  const ownKeys = new Set(KEYS.map(hashKey));
  const otherParts = hash
    .replace(/^#/, "")
    .split("&")
    .filter((part) => part !== "" && !ownKeys.has(decode(part.split("=")[0] ?? "")));
  const values = toStrings(selection);
  const ownParts = KEYS.filter((key) => values[key] !== "").map(
    (key) => `${encodeURIComponent(hashKey(key))}=${encodeURIComponent(values[key])}`,
  );
  return `#${[...otherParts, ...ownParts].join("&")}`;
}
