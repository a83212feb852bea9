// The user's actions: changing the selection, jumping to a verdict or to the heat map, opening an explanation.
import { writeAddress } from "./host";
import { isWhole, type Span } from "./lib/buckets";
import type { Explained } from "./lib/explained";
import { comparedRuns, type Selection, sameSelection } from "./lib/selection";
import { findFinding } from "./lib/verdicts";
import { loadDetails, loadOverview, loadRuns } from "./load";
import { loadExplanation } from "./load-explanation";
import { Poller } from "./poller";
import { getState, type OpenExplanation, setState } from "./state";

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
  const now = { ...selection, ...patch };
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
  const launchChanges = now.run !== selection.run || now.launch !== selection.launch;
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

/** Scrolls to the suspect, or the first verdict, with this code. */
export function revealFinding(code: number): void {
  const overview = getState().overview?.answer;
  setState({ scrollTarget: overview ? findFinding(overview, code) : null });
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
