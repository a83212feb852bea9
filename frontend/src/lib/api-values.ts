// What the backend answers about the values of a launch: heat map, curves, maps, comparison. See `api.ts`.

/** null: not recorded. Non-finite numbers are sent as strings; "None" is a gradient that does not exist. */
export type Cell = number | null | "NaN" | "Infinity" | "-Infinity" | "None";

export interface QuantityAnswer {
  name: string; // for example "update_ratio"
  title: string; // "update ratio ‖Δ‖/‖w‖"
  unit: string;
  meaning: string; // one line
  scale: "log" | "linear" | "share"; // share: 0..1
  axis: "variable" | "layer" | "run";
}

/** GET heatmap?run=&launch=&quantity=&columns=&from=&to=   columns: the largest number of buckets (16..1000); from, to: steps (0: no bound) */
export interface HeatmapAnswer {
  revision: string;
  quantity: QuantityAnswer;
  names: string[]; // [R] variables or layers, from input to output
  covered: number[]; // first and last step that the buckets and the gaps around them cover; [] if there are none
  first: number[]; // [C] first step of each bucket; between two buckets, no step was recorded
  last: number[]; // [C] last step of each bucket
  recorded: number[]; // [C] how many steps of each bucket were recorded: at least one
  low: Cell[][]; // [R][C] smallest value in the bucket (a non-finite one or "None" wins over numbers)
  high: Cell[][]; // [R][C] largest value in the bucket (likewise)
  domain: [number, number] | null; // of the finite (for "log": positive) values; null: none
  whole: number[]; // first and last recorded step of the launch; [] without rows
  worst: number[]; // [R] rows, the worst first
}

/** GET curves?run=&launch=&name=&columns=&from=&to=   name: a variable or layer; if left out, the curves of the run */
export interface CurvesAnswer {
  revision: string;
  name: string;
  covered: number[]; // as in a heat map
  first: number[]; // [T] likewise
  last: number[]; // [T]
  recorded: number[]; // [T]
  steps: number[]; // [T] the last recorded step of each bucket, for all curves
  curves: CurveAnswer[];
}

export interface CurveAnswer {
  quantity: QuantityAnswer;
  lead: boolean; // whether it is shown first
  usual: BandAnswer | null; // the range of usual values
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
  left_out: number; // recordings that were too many to be read
  histograms: HistogramAnswer[];
  motion: MotionAnswer[];
}

/** The share of elements in each octave, at some steps. */
export interface HistogramAnswer {
  kind: string;
  title: string;
  meaning: string;
  odd_meaning: string; // of the elements that `odd` counts
  steps: number[]; // [T]
  ends: number[]; // [K + 1] ends of the octaves, increasing
  shares: number[][]; // [T][K] of all elements
  zero: number[]; // [T] share of elements that are exactly 0
  odd: number[]; // [T] share of elements that are not a number
}

/** A picture of a variable as a matrix: the largest value of each of its parts, at some steps. */
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
  steps: number; // that both runs recorded
  first_step: number | null; // the first at which any number differs
  clear_step: number | null; // the first at which the losses clearly differ
  text: string; // where they first differ
  conclusion: string; // which one is better, and why
  numbers: PairAnswer[]; // the numbers that differ at the first step
  settings: PairAnswer[]; // differences of model, optimizer, versions ...
}

export interface PairAnswer {
  label: string;
  one: string;
  other: string;
}

/** How far the loss falls within a few steps, by learning rate. Part of the overview. */
export interface RateCurveAnswer {
  rates: number[]; // [R] learning rates that were tried, increasing; the first may be 0
  falls: Cell[]; // [R] as a share of the loss before; negative: it rises
  present: number | null; // learning rate of the training
  recommended: number | null; // null: none works
  steps: number; // that were made with each rate
  low: number | null; // the working range
  high: number | null;
}
