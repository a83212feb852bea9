// Which term of  w_new = w_old − lr · gradient  belongs to which link of the chain.
import type { LinkAnswer } from "./api";

export type TermName = "new" | "old" | "update" | "lr" | "gradient";

/** The symbols of the links, without spaces and minus signs (`tb_weightwatch/answers/chain.py`). */
const SYMBOLS: Record<string, TermName> = {
  w: "new",
  lr: "lr",
  gradient: "gradient",
  lr·gradient: "update",
};

export function termOf(link: LinkAnswer): TermName | null {
  return SYMBOLS[link.symbol.replace(/[\s\u2212-]/g, "")] ?? null;
}

export function linkOf(chain: readonly LinkAnswer[], term: TermName): LinkAnswer | null {
  return chain.find((link) => termOf(link) === term) ?? null;
}
