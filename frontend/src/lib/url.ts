// The panel's part of TensorBoard's address: "#weightwatch&p.weightwatch.run=a%2Fb&...".
// This is the only place in which a selection consists of strings.
import type { Span } from "./buckets";
import { toRowOrder } from "./row-arrangement";
import { NOTHING, type Selection } from "./selection";

export const KEYS = [
  "run",
  "launch",
  "quantity",
  "variable",
  "from",
  "to",
  "order",
  "compare",
  "view",
] as const;
export type Key = (typeof KEYS)[number];

const PREFIX = "p.weightwatch.";

export function hashKey(key: Key): string {
  return PREFIX + key;
}

/** A selection as values of the address; what is not chosen is "". */
export function toStrings(selection: Selection): Record<Key, string> {
  const { run, launch, quantity, variable, steps, order, compare, view } = selection;
  return {
    run,
    launch,
    quantity,
    variable,
    from: steps ? String(steps.from) : "",
    to: steps ? String(steps.to) : "",
    order: order === NOTHING.order ? "" : order,
    compare: compare.join("\n"), // the name of a run has no line break
    view,
  };
}

function toSpan(from: string, to: string): Span | null {
  const span = { from: Number(from), to: Number(to) };
  return from !== "" && to !== "" && span.to > span.from ? span : null;
}

function fromStrings(values: Record<Key, string>): Selection {
  const { run, launch, quantity, variable, from, to, order, compare, view } = values;
  return {
    run,
    launch,
    quantity,
    variable,
    steps: toSpan(from, to),
    order: toRowOrder(order),
    compare: compare.split("\n").filter((name) => name !== ""),
    view,
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return ""; // not percent-encoded text
  }
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
