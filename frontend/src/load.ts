// Fills the state from the backend. A selection has a generation; what arrives for an abandoned one is dropped.
import { get, Unanswered } from "./fetch";
import { isVisible, writeAddress } from "./host";
import type { CurvesAnswer, HeatmapAnswer, OverviewAnswer, RunsAnswer } from "./lib/api";
import { chooseLaunch, chooseQuantity, chooseRun, chooseVariable, isTraining } from "./lib/choose";
import { nextDelay } from "./lib/poll";
import { NOTHING, type Selection, sameSelection } from "./lib/url";
import { getState, type Held, setState } from "./state";

const COLUMNS = "300";

let abort = new AbortController();
let timer = 0;
let unchanged = 0;
let failures = 0;

type Part = "map" | "runCurves" | "curves";

/** Holds a new answer only where it differs from the one that is held, so that an unchanged one causes no redraw. */
function keep<T extends { revision: string }>(
  old: Held<T> | null,
  key: string,
  under: string,
  answer: T,
): Held<T> {
  if (old && old.key === key && old.answer.revision === answer.revision) {
    return old.under === under ? old : Object.assign(old, { under });
  }
  return { key, under, answer };
}

async function loadPart<T extends { revision: string }>(
  part: Part,
  route: string,
  parameters: Record<string, string>,
  under: string,
  signal: AbortSignal,
): Promise<void> {
  const key = JSON.stringify(parameters);
  const old = getState()[part] as Held<T> | null;
  if (old && old.key === key && old.under === under) return;
  const answer = await get<T>(route, parameters, signal);
  if (signal.aborted) return;
  setState({ [part]: keep(getState()[part] as Held<T> | null, key, under, answer) });
}

async function loadDetails(signal: AbortSignal): Promise<void> {
  const { overview, selection, shown } = getState();
  if (!overview) return;
  const { run, launch, revision } = overview.answer;
  const quantity = chooseQuantity(overview.answer, selection.quantity);
  const variable = chooseVariable(overview.answer, selection.variable);
  const now = { ...shown, quantity, variable };
  if (!sameSelection(now, shown)) setState({ shown: now });
  const where = { run, launch, columns: COLUMNS };
  await Promise.all([
    quantity ? loadPart<HeatmapAnswer>("map", "heatmap", { ...where, quantity }, revision, signal) : null,
    loadPart<CurvesAnswer>("runCurves", "curves", where, revision, signal),
    variable
      ? loadPart<CurvesAnswer>("curves", "curves", { ...where, name: variable }, revision, signal)
      : null,
  ]);
  if (!signal.aborted && !quantity) setState({ map: null });
}

async function loadOverview(signal: AbortSignal): Promise<void> {
  const { runs, selection, shown } = getState();
  if (!runs) return;
  const run = chooseRun(runs.runs, selection.run);
  const launch = chooseLaunch(runs.runs, run, selection.launch);
  if (run === "") {
    setState({ shown: NOTHING, overview: null, map: null, runCurves: null, curves: null });
    return;
  }
  if (shown.run !== run || shown.launch !== launch) setState({ shown: { ...shown, run, launch } });
  const key = JSON.stringify({ run, launch });
  const answer = await get<OverviewAnswer>("overview", { run, launch }, signal);
  if (signal.aborted) return;
  setState({ overview: keep(getState().overview, key, "", answer) });
  await loadDetails(signal);
}

async function loadRuns(signal: AbortSignal): Promise<void> {
  const answer = await get<RunsAnswer>("runs", {}, signal);
  if (signal.aborted) return;
  if (answer.revision !== getState().runs?.revision) setState({ runs: answer });
  await loadOverview(signal);
}

/** Runs one load under a generation of its own and plans the next poll. */
async function run(load: (signal: AbortSignal) => Promise<void>): Promise<void> {
  abort.abort();
  abort = new AbortController();
  const { signal } = abort;
  window.clearTimeout(timer);
  const before = getState();
  try {
    await load(signal);
    if (signal.aborted) return;
    failures = 0;
    setState({ trouble: "", busy: false });
    const after = getState();
    unchanged = after.runs === before.runs && after.overview === before.overview ? unchanged + 1 : 0;
  } catch (error) {
    if (signal.aborted) return;
    failures += 1;
    setState({
      trouble: error instanceof Unanswered ? error.message : `The answer could not be read: ${error}`,
    });
  }
  plan();
}

function plan(): void {
  const runs = getState().runs?.runs ?? [];
  const training = isTraining(runs) || runs.length === 0; // who reads the hint is about to train
  timer = window.setTimeout(poll, nextDelay({ training, unchanged, failures }));
}

function poll(): void {
  if (isVisible()) void run(loadRuns);
  else plan();
}

/** Asks for everything now. */
export function refresh(): void {
  unchanged = 0;
  void run(loadRuns);
}

/** Changes the choice; only what depends on it is asked for. */
export function select(patch: Partial<Selection>, address = true): void {
  const { selection } = getState();
  const now = { ...selection, ...patch };
  if (sameSelection(now, selection)) return;
  const elsewhere = now.run !== selection.run || now.launch !== selection.launch;
  setState({ selection: now, busy: true });
  if (address) writeAddress(now);
  const { overview, runs } = getState();
  void run(!runs ? loadRuns : elsewhere || !overview ? loadOverview : loadDetails);
}
