// Opens the table of all runs, and closes it again.
import { select } from "../actions";
import { viewOf, WORST_FIRST } from "../lib/run-table";
import { useSelector } from "../state";

export function RunTableButton() {
  const count = useSelector((s) => s.runs?.runs.length ?? 0);
  const isOpen = useSelector((s) => s.selection.view !== "");
  if (count < 2) return null;
  return (
    <button
      type="button"
      class="small-button run-table-button"
      aria-pressed={isOpen}
      title="All runs in one table: which settings go with which answer"
      onClick={() => select({ view: isOpen ? "" : viewOf(WORST_FIRST) })}
    >
      Compare all
    </button>
  );
}
