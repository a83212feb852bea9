// Fills the state from the backend. A selection has a generation; what arrives for an abandoned one is dropped.
import { get, Unanswered } from "./backend";
import { isVisible, writeAddress } from "./host";
import type {
  CompareAnswer,
  CurvesAnswer,
  HeatmapAnswer,
  MapsAnswer,
  OverviewAnswer,
  RunsAnswer,
} from "./lib/api";
import { chooseLaunch, chooseQuantity, chooseRun, chooseVariable, isTraining } from "./lib/defaults";
import { isSettled, nextDelay } from "./lib/poll-delay";
import { compared, NOTHING, type Selection, sameSelection } from "./lib/url";
import { getState, type Held, type Other, setState } from "./state";

const COLUMNS = "300";

let abort = new AbortController();
let timer = 0;
let unchanged = 0;
let failures = 0;
let settling = 0;

type Part = "map" | "runCurves" | "curves" | "maps";

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
  const { from, to, order, compare } = selection;
  const now = { ...shown, quantity, variable, from, to, order, compare };
  if (!sameSelection(now, shown)) setState({ shown: now });
  const where = { run, launch, columns: COLUMNS, from, to };
  const pictured = overview.answer.maps && overview.answer.variables.some((v) => v.name === variable);
  await Promise.all([
    quantity ? loadPart<HeatmapAnswer>("map", "heatmap", { ...where, quantity }, revision, signal) : null,
    loadPart<CurvesAnswer>("runCurves", "curves", where, revision, signal),
    variable
      ? loadPart<CurvesAnswer>("curves", "curves", { ...where, name: variable }, revision, signal)
      : null,
    pictured
      ? loadPart<MapsAnswer>("maps", "maps", { run, launch, name: variable }, overview.answer.maps, signal)
      : null,
    loadOthers(where, quantity, variable, signal),
  ]);
  if (!signal.aborted && !quantity) setState({ map: null });
  if (!signal.aborted && !pictured) setState({ maps: null });
}

type Where = { run: string; launch: string; columns: string; from: string; to: string };

async function loadOther(
  run: string,
  where: Where,
  quantity: string,
  variable: string,
  signal: AbortSignal,
): Promise<Other> {
  const overview = await get<OverviewAnswer>("overview", { run }, signal);
  const here = { ...where, run, launch: overview.launch };
  const known = overview.variables.some((v) => v.name === variable) || overview.layers.includes(variable);
  const [map, runCurves, curves, compare] = await Promise.all([
    overview.quantities.some((q) => q.name === quantity)
      ? get<HeatmapAnswer>("heatmap", { ...here, quantity }, signal)
      : null,
    get<CurvesAnswer>("curves", here, signal),
    known ? get<CurvesAnswer>("curves", { ...here, name: variable }, signal) : null,
    get<CompareAnswer>(
      "compare",
      { run: where.run, launch: where.launch, other: run, other_launch: overview.launch },
      signal,
    ),
  ]);
  return { run, overview, map, runCurves, curves, compare };
}

async function loadOthers(
  where: Where,
  quantity: string,
  variable: string,
  signal: AbortSignal,
): Promise<void> {
  const { runs, selection, others } = getState();
  const known = new Set(runs?.runs.map((r) => r.run));
  const wanted = compared({ ...selection, run: where.run }).filter((run) => known.has(run));
  const key = JSON.stringify([wanted, where, quantity, variable, runs?.revision]);
  if (wanted.length === 0 || others?.key === key) {
    if (wanted.length === 0) setState({ others: null });
    return;
  }
  const found = await Promise.all(wanted.map((run) => loadOther(run, where, quantity, variable, signal)));
  if (!signal.aborted) setState({ others: { key, runs: found } });
}

async function loadOverview(signal: AbortSignal): Promise<void> {
  const { runs, selection, shown } = getState();
  if (!runs) return;
  const run = chooseRun(runs.runs, selection.run);
  const launch = chooseLaunch(runs.runs, run, selection.launch);
  if (run === "") {
    setState({ shown: NOTHING, overview: null, map: null, runCurves: null, curves: null, maps: null });
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
  const changed = answer.revision !== getState().runs?.revision;
  if (changed) setState({ runs: answer });
  const settled = isSettled({ training: isTraining(answer.runs), unchanged, failures });
  if (changed || !settled || !getState().overview) await loadOverview(signal);
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

/** Adds a run to those that are compared with the chosen one, or takes it away. */
export function toggleCompared(run: string): void {
  const { selection, shown } = getState();
  const known = compared({ ...selection, run: shown.run });
  const now = known.includes(run) ? known.filter((r) => r !== run) : [...known, run];
  select({ run: shown.run, compare: now.join("\n") });
}

/** Changes the choice; only what depends on it is asked for. */
export function select(patch: Partial<Selection>, address = true): void {
  const { selection } = getState();
  const now = { ...selection, ...patch };
  if (sameSelection(now, selection)) return;
  const elsewhere = now.run !== selection.run || now.launch !== selection.launch;
  const moves = "from" in patch && now.run === selection.run; // the axis follows the hand, its details come after
  setState({ selection: now, busy: !moves, ...(moves && { shown: { ...getState().shown, ...patch } }) });
  if (moves) {
    window.clearTimeout(settling);
    settling = window.setTimeout(() => {
      if (address) writeAddress(getState().selection);
      void run(getState().overview ? loadDetails : loadRuns);
    }, 150);
    return;
  }
  if (address) writeAddress(now);
  const { overview, runs } = getState();
  void run(!runs ? loadRuns : elsewhere || !overview ? loadOverview : loadDetails);
}
