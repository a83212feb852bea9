// The orders of the list of runs.
import type { LaunchEntry, RunEntry, Severity, Status } from "./api";
import { newestLaunch } from "./defaults";

/** The orders, as the page names them. */
export const RUN_ORDERS = {
  name: "by name",
  severity: "worst first",
  time: "newest first",
  step: "most steps first",
} as const;
export type RunOrder = keyof typeof RUN_ORDERS;

const SEVERITIES: readonly Severity[] = ["error", "warning", "info", "none"];
const STATUSES: readonly Status[] = ["sick", "undecided", "healthy"];
const NAMES = new Intl.Collator("en", { numeric: true }); // "run-2" before "run-10", as in TensorBoard

export function toRunOrder(text: string): RunOrder {
  return Object.hasOwn(RUN_ORDERS, text) ? (text as RunOrder) : "name";
}

/** The smaller, the further up in the list. */
function rank(launch: LaunchEntry, order: RunOrder): number {
  if (order === "time") return -launch.started;
  if (order === "step") return -launch.last_step;
  return STATUSES.indexOf(launch.status) * SEVERITIES.length + SEVERITIES.indexOf(launch.severity);
}

/** The runs in an order that looks at the newest launch of each; those of equal rank by name. */
export function sortRuns(runs: readonly RunEntry[], order: RunOrder): RunEntry[] {
  const byName = [...runs].sort((a, b) => NAMES.compare(a.label, b.label));
  if (order === "name") return byName;
  const rankOf = (run: RunEntry) => {
    const launch = newestLaunch(run);
    return launch ? rank(launch, order) : Number.POSITIVE_INFINITY;
  };
  const ranks = new Map(byName.map((run) => [run, rankOf(run)]));
  return byName.sort((a, b) => {
    const [one, other] = [ranks.get(a) as number, ranks.get(b) as number];
    return one === other ? 0 : one - other; // infinity - infinity is not a number
  });
}
