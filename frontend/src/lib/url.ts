// The panel's place in TensorBoard's address: "#weightwatch&p.weightwatch.run=a%2Fb&...".

export const KEYS = ["run", "launch", "quantity", "variable", "from", "to", "order", "compare"] as const;
export type Key = (typeof KEYS)[number];
export type Selection = Record<Key, string>;

export const NOTHING: Selection = {
  run: "",
  launch: "",
  quantity: "",
  variable: "",
  from: "",
  to: "",
  order: "",
  compare: "",
};

/** The runs to compare with: names stand on lines of their own, as no run's name holds a line break. */
export function compared(selection: Selection): string[] {
  return selection.compare.split("\n").filter((run) => run !== "" && run !== selection.run);
}

const PREFIX = "p.weightwatch.";

export function hashKey(key: Key): string {
  return PREFIX + key;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

/** Reads what a hash says about the panel; what it does not say is "". */
export function parseHash(hash: string): Selection {
  const found = { ...NOTHING };
  for (const part of hash.replace(/^#/, "").split("&")) {
    const at = part.indexOf("=");
    if (at < 0) continue;
    const key = KEYS.find((k) => hashKey(k) === decode(part.slice(0, at)));
    if (key) found[key] = decode(part.slice(at + 1));
  }
  return found;
}

/** `hash` with the selection written into it; foreign parts stay where they are. */
export function writeHash(hash: string, selection: Selection): string {
  const ours = new Set(KEYS.map(hashKey));
  const others = hash
    .replace(/^#/, "")
    .split("&")
    .filter((part) => part !== "" && !ours.has(decode(part.split("=")[0] ?? "")));
  const own = KEYS.filter((key) => selection[key] !== "").map(
    (key) => `${encodeURIComponent(hashKey(key))}=${encodeURIComponent(selection[key])}`,
  );
  return `#${[...others, ...own].join("&")}`;
}

export function sameSelection(a: Selection, b: Selection): boolean {
  return KEYS.every((key) => a[key] === b[key]);
}
