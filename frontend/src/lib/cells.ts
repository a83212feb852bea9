// The kind of value that a cell holds, so that nothing non-finite is ever drawn as a number.
import type { Cell } from "./api";

export type Scale = "log" | "linear" | "share";
type Kind = "number" | "zero" | "nan" | "infinite" | "none" | "missing" | "gap";

/** The kinds without a place on a colour scale. Each has its own colour and hatching. */
export type SpecialKind = Exclude<Kind, "number">;
export const SPECIAL_KINDS: readonly SpecialKind[] = ["nan", "infinite", "none", "zero", "missing", "gap"];

export const KIND_TEXT: Record<Kind, string> = {
  number: "a number",
  zero: "0 or less",
  nan: "NaN",
  infinite: "infinite",
  none: "None (no gradient)",
  missing: "value not recorded",
  gap: "step not recorded",
};

/** The kind of a cell; never "gap", for which there is no cell. "zero" exists on a log scale only: 0 and negative values have no position there. */
export function kindOf(cell: Cell | undefined, scale: Scale): Kind {
  if (cell === null || cell === undefined) return "missing";
  if (typeof cell === "number") {
    if (!Number.isFinite(cell)) return Number.isNaN(cell) ? "nan" : "infinite";
    return scale === "log" && cell <= 0 ? "zero" : "number";
  }
  if (cell === "None") return "none";
  return cell === "NaN" ? "nan" : "infinite";
}

/** The kinds that occur in a heat map, and whether any of its numbers is below 0. */
export function kindsIn(
  rows: readonly (readonly Cell[])[],
  scale: Scale,
): { kinds: Set<Kind>; hasNegative: boolean } {
  const kinds = new Set<Kind>();
  let hasNegative = false;
  for (const row of rows)
    for (const cell of row) {
      kinds.add(kindOf(cell, scale));
      hasNegative ||= typeof cell === "number" && cell < 0;
    }
  return { kinds, hasNegative };
}

/** The number to draw on `scale`, or null if it has no place there. */
export function numberOf(cell: Cell | undefined, scale: Scale): number | null {
  return kindOf(cell, scale) === "number" ? (cell as number) : null;
}

/** Position of a value in a domain, 0..1, clamped. */
export function position(value: number, domain: readonly [number, number], scale: Scale): number {
  const [low, high] = scale === "share" ? ([0, 1] as const) : domain;
  const at = scale === "log" ? Math.log10 : (x: number) => x;
  const width = at(high) - at(low);
  if (!(width > 0)) return 0.5;
  return Math.min(1, Math.max(0, (at(value) - at(low)) / width));
}

/** The inverse of `position`. */
export function valueAt(t: number, domain: readonly [number, number], scale: Scale): number {
  const [low, high] = scale === "share" ? ([0, 1] as const) : domain;
  if (scale !== "log") return low + t * (high - low);
  return 10 ** (Math.log10(low) + t * (Math.log10(high) - Math.log10(low)));
}

export function isSpecial(kind: Kind): kind is SpecialKind {
  return kind !== "number";
}
