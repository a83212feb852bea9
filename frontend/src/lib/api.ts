// What the backend answers (tb_weightwatch/answers/), all GET, all JSON. Texts, units, scales and severities come
// from there: the panel knows no rule and no threshold. Every answer carries a `revision`; it changes when data does.

/** null: not recorded. Non-finite numbers travel as strings; "None" is a gradient that does not exist. */
export type Cell = number | null | "NaN" | "Infinity" | "-Infinity" | "None";

export type Status = "healthy" | "sick" | "undecided";
export type Severity = "none" | "info" | "warning" | "error";
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
  state_text: string; // one line, e.g. "ended after 5,000 steps"
  last_step: number;
  status: Status;
  severity: Severity; // of the worst open verdict
  headline: string; // a few words: the name of the worst verdict, or the status
}

/** GET overview?run=&launch=   (launch may be left out: the newest) */
export interface OverviewAnswer {
  revision: string;
  run: string;
  launch: string;
  state: LaunchState;
  state_text: string;
  last_step: number;
  rows: number; // recorded rows
  status: Status;
  sentence: string; // the answer
  detail: string; // one more line: progress, completeness, recorder's cost; may be ""
  verdicts: VerdictAnswer[]; // ranked, causes only; consequences are in `explains`
  resolved: VerdictAnswer[]; // were true, are no more
  muted: MutedAnswer[]; // rules that the user has switched off
  chain: LinkAnswer[]; // exactly seven, in order: data, activations, loss, gradient, optimizer, update, weight
  passed: RuleRef[];
  unknown: UnknownAnswer[];
  quantities: QuantityAnswer[]; // what the heat map can show for this launch, default first
  variables: VariableAnswer[]; // rows of the heat map, from input to output
  layers: string[]; // rows of the heat map for per-layer quantities
  facts: FactAnswer[]; // model, optimizer, versions ...
  maps: string; // changes when histograms and motion maps come; "": there are none
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
  message: string;
  evidence: EvidenceAnswer[];
  fix: string; // text; code in it stands on lines of its own, indented by four spaces
  explains: VerdictAnswer[];
}

export interface EvidenceAnswer {
  name: string;
  value: Cell;
  unit: string;
  text: string; // ready to show: "update ratio 8.1e-11 at step 100 (1e-3 is usual)"
  step: number | null;
  quantity: string; // a quantity of the heat map that shows it, or ""
}

export interface LinkAnswer {
  link: string;
  title: string; // "Gradient"
  symbol: string; // its part of the equation, e.g. "gradient", "lr", "" where none
  state: "ok" | "broken" | "consequence" | "unknown" | "note";
  number: string; // its one number, formatted, e.g. "3.1e-3"; "" where none
  meaning: string; // what the number is, e.g. "median gradient norm"
  text: string; // one line: why it is in that state
  codes: number[]; // verdicts that stand on this link
  first: boolean; // the first broken link
}

export interface RuleRef {
  code: number;
  name: string;
  summary: string;
}

export interface UnknownAnswer extends RuleRef {
  lacked: string; // what it could not see and how to record it
}

export interface MutedAnswer extends RuleRef {
  verdict: VerdictAnswer | null; // what it would say now
}

export interface QuantityAnswer {
  name: string; // e.g. "update_ratio"
  title: string; // "update ratio ‖Δ‖/‖w‖"
  unit: string;
  meaning: string; // one line
  scale: "log" | "linear" | "share"; // share: 0..1
  axis: "variable" | "layer" | "run";
}

export interface VariableAnswer {
  name: string;
  layer: string;
  shape: number[];
  dtype: string;
  trainable: boolean;
  worst: Severity; // of the verdicts that name it
}

export interface FactAnswer {
  label: string;
  value: string;
}

/** GET heatmap?run=&launch=&quantity=&columns=&from=&to=   columns: at most so many buckets (16..1000) of the steps from..to (0: no bound) */
export interface HeatmapAnswer {
  revision: string;
  quantity: QuantityAnswer;
  names: string[]; // [R] variables or layers, from input to output
  first: number[]; // [C] first step of each bucket
  last: number[]; // [C] last step of each bucket
  low: Cell[][]; // [R][C] smallest value in the bucket (a non-finite one or "None" wins over numbers)
  high: Cell[][]; // [R][C] largest value in the bucket (likewise)
  domain: [number, number] | null; // of the finite (for "log": positive) values; null: none
  whole: number[]; // first and last recorded step of the launch; [] without rows
  worst: number[]; // [R] rows in the order in which to look at them
}

/** GET curves?run=&launch=&name=&columns=&from=&to=   name: a variable, a layer, or left out for run-wide curves (loss, learning rate ...) */
export interface CurvesAnswer {
  revision: string;
  name: string;
  steps: number[]; // [T] one x for every curve (last step of each bucket)
  curves: CurveAnswer[];
}

export interface CurveAnswer {
  quantity: QuantityAnswer;
  lead: boolean; // one of those to look at first
  usual: BandAnswer | null; // where it usually lies
  low: Cell[]; // [T] per bucket
  high: Cell[]; // [T]
  last: Cell[]; // [T]
}

export interface BandAnswer {
  low: number;
  high: number;
  text: string;
}

/** GET maps?run=&launch=&name=   name: a variable */
export interface MapsAnswer {
  revision: string;
  name: string;
  left_out: number; // data that were too many to be read
  histograms: HistogramAnswer[];
  motion: MotionAnswer[];
}

/** How many elements lie in each octave, at some steps. */
export interface HistogramAnswer {
  kind: string;
  title: string;
  meaning: string;
  odd_meaning: string; // what `odd` counts
  steps: number[]; // [T]
  ends: number[]; // [K + 1] ends of the octaves, increasing
  shares: number[][]; // [T][K] of all elements
  zero: number[]; // [T] share of elements that are exactly 0
  odd: number[]; // [T] share of elements that are no number
}

/** A picture of a variable seen as a matrix: the largest value of each of its parts, at some steps. */
export interface MotionAnswer {
  kind: string;
  title: string;
  meaning: string;
  rows: number; // of the variable
  columns: number;
  per_row: number; // rows of the variable in a row of the picture
  per_column: number;
  domain: [number, number] | null; // of the positive values, log scale
  frames: FrameAnswer[];
}

export interface FrameAnswer {
  step: number;
  values: Cell[][];
  text: string; // "3 of 64 rows of the picture that did not move at all", or ""
}

/** GET compare?run=&launch=&other=&other_launch= */
export interface CompareAnswer {
  revision: string;
  steps: number; // that both recorded
  first_step: number | null; // the first at which any number differs
  clear_step: number | null; // the first at which the losses clearly differ
  text: string;
  numbers: PairAnswer[]; // what differs at the first step
  settings: PairAnswer[]; // what differs of model, optimizer, versions ...
}

export interface PairAnswer {
  label: string;
  one: string;
  other: string;
}
