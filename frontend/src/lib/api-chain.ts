// The part of the overview that is about the chain and its equation (tb_weightwatch/answers/chain.py, equation.py).

export interface LinkAnswer {
  link: string;
  title: string; // "Gradient"
  // "affected": something else breaks it; "passed": its checks passed, but the chain is broken before it, or the cause
  // is not known; "unknown": not recorded, or no check could tell; "note": a remark that is no fault
  state: "ok" | "broken" | "suspected" | "affected" | "passed" | "unknown" | "note";
  state_text: string; // the state in a word or two, for example "breaks here"
  number: string; // formatted, for example "3.1e-3"; "" if it has none that belongs to its state
  meaning: string; // of the number, for example "norm of the whole gradient"
  text: string; // one line: why it is in that state
  codes: number[]; // of the suspects and verdicts on this link
  passed: number[]; // codes of its checks that passed
  unknown: number[]; // codes of its checks that could not tell
  first: boolean; // the chain breaks here first
}

export interface EquationAnswer {
  left: TermAnswer[]; // w_new = w_old −
  update: TermAnswer[]; // the optimizer's own rule, or one term where it is no short formula
  brace: TermAnswer | null; // the whole update; null where `update` is that term alone
  caption: string; // what symbols stand for, and of what the numbers are; may be ""
  note: string; // what else is to be known; may be ""
  words: string; // the equation in words
}

export interface TermAnswer {
  symbol: string;
  sub: string; // its index, for example "new"; may be ""
  over: string; // what it is divided by; "" if it is not a fraction
  link: string; // the link of the chain that it belongs to; "" if it belongs to none
  state: LinkAnswer["state"] | ""; // that it shows: of its link, or none
  operator: boolean;
  number: string; // formatted; "" where none was recorded
  meaning: string;
}
