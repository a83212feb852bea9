// Loads the runs that are compared with the chosen one.
import { get } from "./backend";
import type { CompareAnswer, CurvesAnswer, HeatmapAnswer, OverviewAnswer } from "./lib/api";
import { comparedRuns } from "./lib/selection";
import { type ComparedRun, getState, setState } from "./state";

/** The launch and the steps that are requested. */
export type Where = { run: string; launch: string; columns: string; from: string; to: string };

async function loadComparedRun(
  run: string,
  chosen: Where,
  quantity: string,
  variable: string,
  signal: AbortSignal,
): Promise<ComparedRun> {
  const overview = await get<OverviewAnswer>("overview", { run }, signal);
  const { launch, layers, quantities, variables } = overview;
  const where = { ...chosen, run, launch };
  const hasVariable = variables.some((v) => v.name === variable) || layers.includes(variable);
  const hasQuantity = quantities.some((q) => q.name === quantity);
  const pair = { run: chosen.run, launch: chosen.launch, other: run, other_launch: launch };
  const [heatmap, runCurves, variableCurves, compare] = await Promise.all([
    hasQuantity ? get<HeatmapAnswer>("heatmap", { ...where, quantity }, signal) : null,
    get<CurvesAnswer>("curves", where, signal),
    hasVariable ? get<CurvesAnswer>("curves", { ...where, name: variable }, signal) : null,
    get<CompareAnswer>("compare", pair, signal),
  ]);
  return { run, overview, heatmap, runCurves, variableCurves, compare };
}

/** Loads all compared runs, unless they are there already. */
export async function loadComparison(
  chosen: Where,
  quantity: string,
  variable: string,
  signal: AbortSignal,
): Promise<void> {
  const { runs, selection, comparison } = getState();
  const existing = new Set(runs?.runs.map((r) => r.run));
  const names = comparedRuns({ ...selection, run: chosen.run }).filter((run) => existing.has(run));
  if (names.length === 0) {
    setState({ comparison: null });
    return;
  }
  const request = JSON.stringify([names, chosen, quantity, variable, runs?.revision]);
  if (comparison?.request === request) return;
  const compared = await Promise.all(
    names.map((run) => loadComparedRun(run, chosen, quantity, variable, signal)),
  );
  if (!signal.aborted) setState({ comparison: { request, runs: compared } });
}
