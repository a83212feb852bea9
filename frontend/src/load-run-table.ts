// Loads the table of all runs, which the backend fills within several requests.
import { get } from "./backend";
import type { RunTableAnswer } from "./lib/api-table";
import { getState, setState } from "./state";

/** Loads the table, unless it is there already and complete. */
export async function loadRunTable(signal: AbortSignal): Promise<void> {
  const runsRevision = getState().runs?.revision ?? "";
  for (let pending = Number.POSITIVE_INFINITY; ; ) {
    const old = getState().runTable;
    if (old?.runsRevision === runsRevision && old.answer.pending === 0) return;
    const answer = await get<RunTableAnswer>("table", {}, signal);
    if (signal.aborted) return;
    setState({ runTable: { runsRevision, answer } });
    if (answer.pending >= pending) return; // runs that train are never all up to date; the next poll goes on
    pending = answer.pending;
  }
}
