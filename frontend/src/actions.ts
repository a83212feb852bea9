// The user's actions: changing the selection, and jumping to a verdict or to the heat map.
import { writeAddress } from "./host";
import type { ExperimentAnswer } from "./lib/api";
import { isWhole, type Span } from "./lib/buckets";
import { comparedRuns, type Selection, sameSelection } from "./lib/selection";
import { findFinding } from "./lib/verdicts";
import { loadDetails, loadOverview, loadRuns } from "./load";
import { Poller } from "./poller";
import { getState, setState } from "./state";

const ZOOM_DELAY_MS = 150; // the axis follows the pointer at once, its details are loaded once it rests

const poller = new Poller(loadRuns);

/** Loads everything now. */
export function refresh(): void {
  poller.refresh();
}

/** Changes the selection and loads what depends on it. */
export function select(patch: Partial<Selection>): void {
  if (changeSelection(patch)) writeAddress(getState().selection);
}

/** Takes the selection over from the address. */
export function selectFromAddress(selection: Selection): void {
  changeSelection(selection);
}

/** Returns whether the address must be written now. It is written later while the axis moves. */
function changeSelection(patch: Partial<Selection>): boolean {
  const { selection, shown, overview, runs } = getState();
  const view = patch.run === undefined ? selection.view : ""; // who chooses a run wants to see it
  const now = { ...selection, view, ...patch };
  if (sameSelection(now, selection)) return false;
  if (sameSelection({ ...now, steps: selection.steps }, selection)) {
    setState({ selection: now, shown: { ...shown, steps: now.steps } });
    poller.runLater(ZOOM_DELAY_MS, () => {
      writeAddress(getState().selection);
      return getState().overview ? loadDetails : loadRuns;
    });
    return false;
  }
  poller.cancelDelayed();
  setState({ selection: now, busy: true });
  const launchChanges =
    now.run !== selection.run || now.launch !== selection.launch || now.view !== selection.view;
  void poller.run(!runs ? loadRuns : launchChanges || !overview ? loadOverview : loadDetails);
  return true;
}

/** Makes the span the axis of all charts. */
export function zoomTo(span: Span, whole: Span): void {
  const steps = { from: Math.round(span.from), to: Math.round(span.to) };
  select({ steps: isWhole(span, whole) ? null : steps });
}

/** Adds a run to the comparison with the chosen one, or removes it. */
export function toggleCompared(run: string): void {
  const { selection, shown } = getState();
  const compared = comparedRuns({ ...selection, run: shown.run });
  const compare = compared.includes(run) ? compared.filter((r) => r !== run) : [...compared, run];
  select({ run: shown.run, compare });
}

/** Tells the table of all runs which runs the filters of the run list leave. */
export function setListedRuns(listedRuns: readonly string[]): void {
  setState({ listedRuns });
}

/** Scrolls to the suspect, or the first verdict, with this code. */
export function revealFinding(code: number): void {
  const overview = getState().overview?.answer;
  setState({ scrollTarget: overview ? findFinding(overview, code) : null });
}

/** Scrolls to an experiment. */
export function revealExperiment(experiment: ExperimentAnswer): void {
  setState({ scrollTarget: experiment });
}

/** Shows a variable or a quantity on the heat map and scrolls to it. */
export function showOnHeatmap(choice: Partial<Pick<Selection, "variable" | "quantity">>): void {
  select(choice);
  setState({ scrollTarget: "heatmap" });
}
