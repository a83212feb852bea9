// The user's actions: changing the selection, jumping to a verdict or to the heat map, opening an explanation.
import { endAction, type Gesture, recordSelection } from "./history";
import type { ExperimentAnswer } from "./lib/api";
import { isWhole, type Span } from "./lib/buckets";
import type { Explained } from "./lib/explained";
import { changedKeys, comparedRuns, loadNeeded, type Selection } from "./lib/selection";
import { findFinding, findRule } from "./lib/verdicts";
import { loadDetails, loadOverview, loadRuns } from "./load";
import { loadExplanation } from "./load-explanation";
import { Poller } from "./poller";
import { getState, type OpenExplanation, type State, setState } from "./state";

const ZOOM_DELAY_MS = 150; // the axis follows the pointer at once, its details are loaded once it rests

const poller = new Poller(loadRuns);

/** Loads everything now. */
export function refresh(): void {
  poller.refresh();
}

/** Changes the selection and loads what depends on it. `gesture`: what makes many changes that are one action. */
export function select(patch: Partial<Selection>, gesture: Gesture | null = null): void {
  const changed = changeSelection(patch);
  if (changed.length > 0) recordSelection(getState().selection, changed, gesture);
}

/** Takes the selection over from the address. */
export function selectFromAddress(selection: Selection): void {
  endAction();
  changeSelection(selection);
}

/** The comparison without the runs that are no longer compared. */
function remainingComparison(now: Selection): State["comparison"] {
  const { comparison } = getState();
  const runs = comparison?.runs.filter(({ run }) => now.compare.includes(run)) ?? [];
  if (runs.length === comparison?.runs.length) return comparison;
  return runs.length === 0 ? null : { request: "", runs };
}

/** Returns the keys of the selection that have changed. */
function changeSelection(patch: Partial<Selection>): (keyof Selection)[] {
  const { selection, shown, overview, runs } = getState();
  const view = patch.run === undefined ? selection.view : ""; // who chooses a run wants to see it
  const now = { ...selection, view, ...patch };
  const changed = changedKeys(selection, now);
  const needed = loadNeeded(changed);
  if (changed.length === 0) return changed;
  const { run, launch, quantity, variable } = shown; // defaults that hold until something is loaded
  setState({
    selection: now,
    shown: { ...now, run, launch, quantity, variable },
    comparison: remainingComparison(now),
  });
  if (needed === "zoom") poller.runLater(ZOOM_DELAY_MS, () => (getState().overview ? loadDetails : loadRuns));
  if (needed === "zoom" || needed === "nothing") return changed;
  poller.cancelDelayed();
  setState({ busy: true, pollError: "" }); // the error was that of another request
  void poller.run(!runs ? loadRuns : needed === "overview" || !overview ? loadOverview : loadDetails);
  return changed;
}

/** Shows a run from its first to its last step. `more`: another launch than the newest, or what else changes. */
export function showRun(run: string, more: Partial<Selection> = {}): void {
  select({ run, launch: "", steps: null, link: "", ...more });
}

/** Makes the span the axis of all charts. */
export function zoomTo(span: Span, whole: Span, gesture: Gesture | null = null): void {
  const steps = { from: Math.round(span.from), to: Math.round(span.to) };
  select({ steps: isWhole(span, whole) ? null : steps }, gesture);
}

/** Adds a run to the comparison with the chosen one, or removes it. */
export function toggleCompared(run: string): void {
  const { selection, shown } = getState();
  const chosen = shown.run || selection.run; // no run is shown before the table of runs was left once
  const compared = comparedRuns({ ...selection, run: chosen });
  const compare = compared.includes(run) ? compared.filter((r) => r !== run) : [...compared, run];
  select({ run: chosen, compare });
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

/** Scrolls to the check with this code, in the list of those that passed or could not tell. */
export function revealRule(code: number): void {
  const overview = getState().overview?.answer;
  setState({ scrollTarget: overview ? findRule(overview, code) : null });
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

/** Opens the explanation of a rule or of a quantity. */
export function explain(explained: Explained): void {
  const opened = { explained, answer: null, problem: "" };
  setState({ explanation: opened });
  const show = (patch: Partial<OpenExplanation>) => {
    if (getState().explanation === opened) setState({ explanation: { ...opened, ...patch } });
  };
  loadExplanation(explained).then(
    (answer) => show({ answer }),
    () => show({ problem: unavailable(explained) }),
  );
}

export function closeExplanation(): void {
  setState({ explanation: null });
}

function unavailable({ rule }: Explained): string {
  const instead =
    rule === undefined ? "docs/recording.md explains it" : `"weightwatch rule ${rule}" prints it`;
  return `The explanation is not available here; ${instead}.`;
}
