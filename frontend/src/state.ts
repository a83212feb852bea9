// The one state of the panel. Views read it, `load.ts` fills it, and nothing else holds what came from the backend.
import { useEffect, useState } from "preact/hooks";
import type {
  CompareAnswer,
  CurvesAnswer,
  HeatmapAnswer,
  MapsAnswer,
  OverviewAnswer,
  RunsAnswer,
} from "./lib/api";
import { NOTHING, type Selection } from "./lib/url";

/** An answer, the request it belongs to, and the revision of the launch it was asked under. */
export interface Held<T> {
  key: string;
  under: string;
  answer: T;
}

/** A run that is compared with the chosen one. */
export interface Other {
  run: string;
  overview: OverviewAnswer;
  map: HeatmapAnswer | null;
  runCurves: CurvesAnswer;
  curves: CurvesAnswer | null; // of the shown variable, where it has one of that name
  compare: CompareAnswer;
}

export interface State {
  selection: Selection; // what the user chose; "" = not chosen
  shown: Selection; // what is shown: the choice, or the default for what was not chosen
  runs: RunsAnswer | null;
  overview: Held<OverviewAnswer> | null;
  map: Held<HeatmapAnswer> | null;
  runCurves: Held<CurvesAnswer> | null;
  curves: Held<CurvesAnswer> | null; // of the shown variable or layer
  maps: Held<MapsAnswer> | null; // of the shown variable
  others: { key: string; runs: Other[] } | null;
  busy: boolean; // an answer to a changed selection is awaited
  trouble: string; // "" or what went wrong at the last poll
  dark: boolean;
}

let state: State = {
  selection: NOTHING,
  shown: NOTHING,
  runs: null,
  overview: null,
  map: null,
  runCurves: null,
  curves: null,
  maps: null,
  others: null,
  busy: false,
  trouble: "",
  dark: false,
};

const listeners = new Set<(state: State) => void>();

export function getState(): State {
  return state;
}

/** Sets what differs; listeners hear only of real changes. */
export function setState(patch: Partial<State>): void {
  const changed = (Object.keys(patch) as (keyof State)[]).some((key) => state[key] !== patch[key]);
  if (!changed) return;
  state = { ...state, ...patch };
  for (const listener of listeners) listener(state);
}

export function useAppState(): State {
  const [seen, setSeen] = useState(state);
  useEffect(() => {
    listeners.add(setSeen);
    setSeen(state);
    return () => {
      listeners.delete(setSeen);
    };
  }, []);
  return seen;
}
