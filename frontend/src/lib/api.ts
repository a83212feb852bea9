// The backend's answers (tb_weightwatch/answers/): all are JSON and requested with GET. Texts, units, scales and
// severities come from there; the panel knows no rule and no threshold. An answer's `revision` changes with its data.
// The answers about the values of a launch are in `api-values.ts`, those about the chain in `api-chain.ts`, the table of
// all runs is in `api-table.ts`.

import type { EquationAnswer, LinkAnswer } from "./api-chain";
import type { Cell, QuantityAnswer, RateCurveAnswer } from "./api-values";

export type * from "./api-chain";
export type * from "./api-values";

export type Status = "healthy" | "sick" | "undecided";
export type Severity = "none" | "info" | "warning" | "error";
export type Outcome = "confirmed" | "refuted" | "open"; // of a cause that an experiment tested
export type LaunchState = "training" | "ended" | "stopped" | "died";

/** GET runs */
export interface RunsAnswer {
  revision: string;
  runs: RunEntry[]; // sorted by name
  hint: string; // what to do when `runs` is empty; "" otherwise
}

export interface RunEntry {
  run: string; // TensorBoard's name of the run, for requests
  label: string; // for display
  launches: LaunchEntry[]; // oldest first; one per process start, never merged
}

export interface LaunchEntry {
  launch: string; // id, for requests
  started: number; // unix seconds
  state: LaunchState; // "stopped": ended by an exception or a signal; "died": no end was recorded
  state_text: string; // one line, for example "ended after 5,000 steps"
  last_step: number;
  status: Status;
  severity: Severity; // of the worst open verdict or symptom
  headline: string; // the name of the worst verdict; else symptom and first suspect; else the status
}

/** GET overview?run=&launch=   launch: if left out, the newest */
export interface OverviewAnswer {
  revision: string;
  run: string;
  launch: string;
  state: LaunchState;
  state_text: string;
  last_step: number;
  rows: number; // recorded rows
  status: Status;
  severity: Severity; // of the worst open verdict or symptom
  headline: string; // the answer in at most 120 characters, which says how sure it is
  rest: string; // what the sentence says beyond the headline; "" if nothing
  sentence: string; // the whole answer
  detail: string; // one more line: progress, completeness, slowdown by recording; may be ""
  verdicts: VerdictAnswer[]; // ranked, causes only; consequences are in `explains`
  symptoms: SymptomAnswer[]; // what is certainly wrong, whatever the cause; worst first
  suspects: SuspectAnswer[]; // causes that fit the symptoms: confirmed ones, then the most probable first
  experiments: ExperimentAnswer[]; // those that confirm a cause first, those that did not run last
  resolved: VerdictAnswer[]; // no longer true
  muted: MutedAnswer[]; // rules that the user has disabled
  chain: LinkAnswer[]; // exactly seven, in order: data, activations, loss, gradient, optimizer, update, weight
  equation: EquationAnswer;
  passed: RuleRef[];
  unknown: UnknownAnswer[];
  quantities: QuantityAnswer[]; // of this launch, the default of the heat map first
  variables: VariableAnswer[]; // rows of the heat map, from input to output
  layers: string[]; // rows of the heat map for per-layer quantities
  facts: FactAnswer[]; // model, optimizer, versions ...
  maps: string; // the revision of histograms and motion maps; "": there are none
  skipped: number; // damaged records that were skipped
}

export interface VerdictAnswer {
  code: number;
  name: string;
  link: string;
  severity: Severity;
  certainty: "certain" | "likely";
  variables: string[];
  first_step: number;
  last_step: number;
  resolved: boolean;
  message: string; // headline and rest
  headline: string; // as that of the overview
  rest: string;
  evidence: EvidenceAnswer[];
  fix: string; // text; lines of code in it are indented by four spaces
  explains: VerdictAnswer[];
  outcome: Outcome | ""; // "": no experiment tested it
  experiment: string; // what the experiment has shown, or ""
}

export interface SymptomAnswer {
  name: string;
  title: string; // the name in words
  link: string;
  severity: Severity;
  message: string;
  variables: string[];
  first_step: number;
  last_step: number;
}

export interface SuspectAnswer {
  code: number;
  name: string;
  link: string;
  probability: number; // from 0 to 1
  probability_text: string; // for example "62 %"
  message: string; // headline and rest
  headline: string; // at most 120 characters
  rest: string;
  summary: string; // of the rule; "" if the message is it
  supports: string[]; // facts that speak for it
  contradicts: string[]; // facts that speak against it
  settle: string; // what would settle whether it is the cause
  fix: string; // as that of a verdict
  outcome: Outcome | ""; // as that of a verdict
  experiment: string;
}

export interface ExperimentAnswer {
  name: string;
  title: string; // the name in words
  outcome: Outcome;
  end: "completed" | "failed" | "interrupted" | "skipped";
  message: string; // what was seen, or why it did not run
  step: number; // completed training steps when it ran; 0 if none, or not known
  steps: number; // that it made itself
  seconds: number;
  causes: TestedCauseAnswer[];
  curve: RateCurveAnswer | null;
}

export interface TestedCauseAnswer {
  name: string;
  code: number; // 0: the rule is not known
  outcome: Outcome;
  message: string;
}

export interface EvidenceAnswer {
  name: string;
  value: Cell;
  unit: string;
  text: string; // for example "update ratio 8.1e-11 at step 100 (1e-3 is usual)"
  step: number | null;
  quantity: string; // the quantity of the heat map that shows it, or ""
}

export interface RuleRef {
  code: number;
  name: string;
  summary: string;
}

export interface UnknownAnswer extends RuleRef {
  lacked: string; // the data that it lacks, and how to record them
}

export interface MutedAnswer extends RuleRef {
  verdict: VerdictAnswer | null; // null: the rule would not fire now
}

export interface VariableAnswer {
  name: string;
  short: string; // the last parts of its path that tell it apart
  layer: string;
  shape: number[];
  dtype: string;
  trainable: boolean;
  worst: Severity; // of the verdicts and symptoms that name it
}

/** GET explanation?rule=<code> or explanation?quantity=<name>; it never changes. */
export interface ExplanationAnswer {
  title: string;
  summary: string; // one sentence
  sections: { title: string; text: string }[]; // code between backticks, or indented by four spaces
  document: string; // its address in the documentation
  command: string; // of the command line that prints more; "" if none does
}

export interface FactAnswer {
  label: string;
  value: string;
}
