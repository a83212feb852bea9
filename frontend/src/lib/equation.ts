// Which part of  w_new = w_old − lr · gradient  belongs to which link of the chain.
import type { LinkAnswer } from "./api";

export type Part = "new" | "old" | "step" | "lr" | "gradient";

const SYMBOLS: Record<string, Part> = {
  w_new: "new",
  w: "new",
  w_old: "old",
  lr: "lr",
  gradient: "gradient",
  g: "gradient",
  lr·gradient: "step",
  update: "step",
  Δ: "step",
  Δw: "step",
};

export function partOf(link: LinkAnswer): Part | null {
  return SYMBOLS[link.symbol.replace(/[\s\u2212-]/g, "")] ?? null;
}

export function linkOf(chain: readonly LinkAnswer[], part: Part): LinkAnswer | null {
  return chain.find((link) => partOf(link) === part) ?? null;
}
