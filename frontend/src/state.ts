// The only state of the panel: views read it, `load.ts` fills it, `actions.ts` changes it.
import { useEffect, useReducer, useRef } from "preact/hooks";
import type {
  CompareAnswer,
  CurvesAnswer,
  ExperimentAnswer,
  ExplanationAnswer,
  HeatmapAnswer,
  MapsAnswer,
  OverviewAnswer,
  RuleRef,
  RunsAnswer,
  SuspectAnswer,
  VerdictAnswer,
} from "./lib/api";
import type { RunTableAnswer } from "./lib/api-table";
import type { Explained } from "./lib/explained";
import { NOTHING, type Selection } from "./lib/selection";

/** An answer, the request that it answers, and the revision of the launch when it was requested. */
export interface Loaded<T> {
  readonly request: string;
  readonly launchRevision: string;
  readonly answer: T;
}

/** A run that is compared with the chosen one. */
export interface ComparedRun {
  run: string;
  overview: OverviewAnswer;
  heatmap: HeatmapAnswer | null;
  runCurves: CurvesAnswer;
  variableCurves: CurvesAnswer | null; // null: the run has no variable of the shown name
  compare: CompareAnswer;
}

/** The user asked for it to be scrolled into view. */
export type ScrollTarget = VerdictAnswer | SuspectAnswer | RuleRef | ExperimentAnswer | "heatmap";

/** The explanation that is open, once it is loaded, or why it could not be loaded. */
export interface OpenExplanation {
  explained: Explained;
  answer: ExplanationAnswer | null;
  problem: string;
}

export interface State {
  selection: Selection; // what the user chose
  shown: Selection; // what is shown: the choice, or the default for what was not chosen
  runs: RunsAnswer | null;
  overview: Loaded<OverviewAnswer> | null;
  heatmap: Loaded<HeatmapAnswer> | null;
  runCurves: Loaded<CurvesAnswer> | null;
  variableCurves: Loaded<CurvesAnswer> | null; // of the shown variable or layer
  variableMaps: Loaded<MapsAnswer> | null; // of the shown variable: histograms and motion maps
  comparison: { request: string; runs: ComparedRun[] } | null;
  runTable: { runsRevision: string; answer: RunTableAnswer } | null; // and the list of runs that it belongs to
  listedRuns: readonly string[] | null; // that the filters of the run list leave; null: all
  scrollTarget: ScrollTarget | null;
  explanation: OpenExplanation | null;
  busy: boolean; // the answers to a changed selection are not there yet
  pollError: string; // of the last poll, for the user; "" if it succeeded
  dark: boolean;
}

/** No answer about any launch. All of them are dropped at once, so that two launches are never shown together. */
export const NO_LAUNCH = {
  overview: null,
  heatmap: null,
  runCurves: null,
  variableCurves: null,
  variableMaps: null,
  comparison: null,
} satisfies Partial<State>;

let state: State = {
  selection: NOTHING,
  shown: NOTHING,
  runs: null,
  ...NO_LAUNCH,
  runTable: null,
  listedRuns: null,
  scrollTarget: null,
  explanation: null,
  busy: false,
  pollError: "",
  dark: false,
};

const listeners = new Set<() => void>();

export function getState(): State {
  return state;
}

/** Changes the state. Listeners are called only if a value differs. */
export function setState(patch: Partial<State>): void {
  const changed = (Object.keys(patch) as (keyof State)[]).some((key) => state[key] !== patch[key]);
  if (!changed) return;
  state = { ...state, ...patch };
  for (const listener of listeners) listener();
}

/**
 * Returns the part of the state that `selector` picks. The view is drawn again only when that part changes, so the
 * selector must return values of the state, not new objects.
 */
export function useSelector<T>(selector: (state: State) => T): T {
  const drawn = useRef({ selector, value: selector(state) });
  drawn.current = { selector, value: selector(state) };
  const [, redraw] = useReducer((count: number, _: undefined) => count + 1, 0);
  useEffect(() => {
    const listener = () => {
      const { selector, value } = drawn.current;
      if (!Object.is(selector(state), value)) redraw(undefined);
    };
    listeners.add(listener);
    listener(); // the state may have changed since the view was drawn
    return () => {
      listeners.delete(listener);
    };
  }, []);
  return drawn.current.value;
}
