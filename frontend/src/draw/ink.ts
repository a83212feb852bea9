// The colours of tokens.css for canvases, which cannot use CSS variables.
import { SPECIAL_KINDS, type SpecialKind } from "../lib/cells";

interface Ink {
  curve: string;
  band: string; // between the lowest and the highest value of each bucket
  usual: string; // the usual range of a quantity
  grid: string;
  label: string;
  compared: string[]; // the curves of compared runs
  special: Record<SpecialKind, { back: string; line: string }>;
}

const COMPARED = 3;

/** The dashes of compared runs' curves, which so differ without colours, too. */
export const DASHES: readonly number[][] = [
  [7, 3],
  [2, 3],
  [10, 3, 2, 3],
];

const inks = new Map<boolean, Ink>();

function readInk(): Ink {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const special = (kind: SpecialKind) => ({
    back: token(`special-${kind}`),
    line: token(`special-${kind}-line`),
  });
  return {
    curve: token("curve"),
    band: token("curve-band"),
    usual: token("curve-usual"),
    grid: token("curve-grid"),
    label: token("curve-label"),
    compared: Array.from({ length: COMPARED }, (_, i) => token(comparedToken(i))),
    special: Object.fromEntries(SPECIAL_KINDS.map((kind) => [kind, special(kind)])) as Ink["special"],
  };
}

/** The colours of the current theme; they are read once per theme. */
export function inkOf(dark: boolean): Ink {
  const ink = inks.get(dark) ?? readInk();
  inks.set(dark, ink);
  return ink;
}

/** The name of the colour of a compared run. `index`: its position among the compared runs. */
export function comparedToken(index: number): string {
  return `compared-${(index % COMPARED) + 1}`;
}
