// What the user wants explained: a rule or a quantity; and the text of an explanation in parts.

export interface Explained {
  readonly rule?: number; // code of the rule
  readonly quantity?: string; // name of the quantity
}

/** The parameters of the request for an explanation. */
export function parametersOf({ rule, quantity }: Explained): Record<string, string> {
  return { rule: rule === undefined ? "" : String(rule), quantity: quantity ?? "" };
}

interface InlinePart {
  kind: "text" | "code";
  text: string;
}

/** Splits a line of text at its backticks: what stands between two of them is code. */
export function inlineParts(text: string): InlinePart[] {
  return text
    .split(/`([^`]+)`/)
    .map((part, i): InlinePart => ({ kind: i % 2 === 1 ? "code" : "text", text: part }))
    .filter((part) => part.text !== "");
}
