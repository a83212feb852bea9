// Fills the state from the backend. Answers that arrive after their request was aborted are dropped.
import { get, type Route } from "./backend";
import type { CurvesAnswer, HeatmapAnswer, MapsAnswer, OverviewAnswer, RunsAnswer } from "./lib/api";
import { defaultLaunch, defaultQuantity, defaultRun, defaultVariable, isTraining } from "./lib/defaults";
import { isSettled, type PollCounts } from "./lib/poll-delay";
import { NOTHING, type Selection, sameSelection } from "./lib/selection";
import { loadComparison, type Where } from "./load-comparison";
import { loadRunTable } from "./load-run-table";
import { getState, type Loaded, NO_LAUNCH, setState } from "./state";

const COLUMNS = "300"; // at most so many buckets

/** The parts of the state that hold the answer to one request. */
type Part = "heatmap" | "runCurves" | "variableCurves" | "variableMaps";

/** Keeps the answer that is there if the new one has the same revision, so that an unchanged one causes no redraw. */
function loaded<T extends { revision: string }>(
  old: Loaded<T> | null,
  request: string,
  launchRevision: string,
  answer: T,
): Loaded<T> {
  const unchanged = old && old.request === request && old.answer.revision === answer.revision;
  if (!unchanged) return { request, launchRevision, answer };
  return old.launchRevision === launchRevision ? old : { ...old, launchRevision };
}

async function loadPart<T extends { revision: string }>(
  part: Part,
  route: Route,
  parameters: Record<string, string>,
  launchRevision: string,
  signal: AbortSignal,
): Promise<void> {
  const request = JSON.stringify(parameters);
  const current = () => getState()[part] as Loaded<unknown> | null as Loaded<T> | null;
  const old = current();
  if (old && old.request === request && old.launchRevision === launchRevision) return;
  const answer = await get<T>(route, parameters, signal);
  if (signal.aborted) return;
  setState({ [part]: loaded(current(), request, launchRevision, answer) });
}

/** The selection with the defaults of this launch for what was not chosen. */
function withDefaults(selection: Selection, shown: Selection, overview: OverviewAnswer): Selection {
  return {
    ...selection,
    run: shown.run,
    launch: shown.launch,
    quantity: defaultQuantity(overview, selection.quantity),
    variable: defaultVariable(overview, selection.variable),
  };
}

/** Loads what depends on the chosen quantity, variable, steps and compared runs. */
export async function loadDetails(signal: AbortSignal): Promise<void> {
  const { overview, selection, shown } = getState();
  if (!overview) return;
  const { run, launch, revision, maps, variables } = overview.answer;
  const now = withDefaults(selection, shown, overview.answer);
  const { quantity, variable, steps } = now;
  if (!sameSelection(now, shown)) setState({ shown: now });
  const [from, to] = steps ? [String(steps.from), String(steps.to)] : ["", ""];
  const where: Where = { run, launch, columns: COLUMNS, from, to };
  const byName = { ...where, name: variable };
  const hasMaps = maps !== "" && variables.some((v) => v.name === variable);
  await Promise.all([
    quantity && loadPart<HeatmapAnswer>("heatmap", "heatmap", { ...where, quantity }, revision, signal),
    loadPart<CurvesAnswer>("runCurves", "curves", where, revision, signal),
    variable && loadPart<CurvesAnswer>("variableCurves", "curves", byName, revision, signal),
    hasMaps && loadPart<MapsAnswer>("variableMaps", "maps", { run, launch, name: variable }, maps, signal),
    loadComparison(where, quantity, variable, signal),
  ]);
  if (!signal.aborted && !quantity) setState({ heatmap: null });
  if (!signal.aborted && !hasMaps) setState({ variableMaps: null });
}

/** Loads the chosen launch and all its details. */
export async function loadOverview(signal: AbortSignal): Promise<void> {
  const { runs, selection, shown } = getState();
  if (!runs) return;
  if (selection.view !== "") {
    await loadRunTable(signal);
    return;
  }
  const run = defaultRun(runs.runs, selection.run);
  const launch = defaultLaunch(runs.runs, run, selection.launch);
  if (run === "") {
    setState({ shown: NOTHING, ...NO_LAUNCH });
    return;
  }
  // Nothing of another launch stands below the name of this one.
  if (shown.run !== run || shown.launch !== launch)
    setState({ shown: { ...selection, run, launch }, ...NO_LAUNCH });
  const request = JSON.stringify({ run, launch });
  const answer = await get<OverviewAnswer>("overview", { run, launch }, signal);
  if (signal.aborted) return;
  const before = getState().overview;
  const restarted = before !== null && before.answer.launch !== answer.launch; // "" is the newest launch
  setState({ ...(restarted && NO_LAUNCH), overview: loaded(before, request, "", answer) });
  await loadDetails(signal);
}

/** Loads the list of runs, and the chosen launch if it may have changed. */
export async function loadRuns(signal: AbortSignal, counts: PollCounts): Promise<void> {
  const answer = await get<RunsAnswer>("runs", {}, signal);
  if (signal.aborted) return;
  const changed = answer.revision !== getState().runs?.revision;
  if (changed) setState({ runs: answer });
  const settled = isSettled({ training: isTraining(answer.runs), ...counts });
  if (changed || !settled || !getState().overview) await loadOverview(signal);
}
