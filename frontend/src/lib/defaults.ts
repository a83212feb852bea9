// What is shown when the user chose nothing, or something that no longer exists.
import type { LaunchEntry, OverviewAnswer, QuantityAnswer, RunEntry } from "./api";
import { leadingVerdict } from "./verdicts";

export function newestLaunch(run: RunEntry): LaunchEntry | undefined {
  return run.launches[run.launches.length - 1];
}

/** The chosen run if it still exists; else the newest sick run; else the newest run. */
export function defaultRun(runs: readonly RunEntry[], chosen: string): string {
  if (runs.some((r) => r.run === chosen)) return chosen;
  const newestFirst = [...runs].sort(
    (a, b) => (newestLaunch(b)?.started ?? 0) - (newestLaunch(a)?.started ?? 0),
  );
  return (newestFirst.find((r) => newestLaunch(r)?.status === "sick") ?? newestFirst[0])?.run ?? "";
}

/** The chosen launch if it still exists; else "", the newest one, also after a newer one has started. */
export function defaultLaunch(runs: readonly RunEntry[], run: string, chosen: string): string {
  const launches = runs.find((r) => r.run === run)?.launches ?? [];
  return launches.some((l) => l.launch === chosen) ? chosen : "";
}

/** The quantities that have a row for each variable or layer. */
export function heatmapQuantities(overview: OverviewAnswer): QuantityAnswer[] {
  return overview.quantities.filter((q) => q.axis !== "run");
}

export function defaultQuantity(overview: OverviewAnswer, chosen: string): string {
  const all = heatmapQuantities(overview);
  return (all.find((q) => q.name === chosen) ?? all[0])?.name ?? "";
}

/** The chosen variable or layer; else the first one of the first verdict or symptom; else the first of all. */
export function defaultVariable(overview: OverviewAnswer, chosen: string): string {
  const names = overview.variables.map((v) => v.name);
  if (names.includes(chosen) || overview.layers.includes(chosen)) return chosen;
  const answer = leadingVerdict(overview) ?? overview.symptoms[0];
  const accused = answer?.variables.find((name) => names.includes(name));
  return accused ?? names[0] ?? overview.layers[0] ?? "";
}

export function isTraining(runs: readonly RunEntry[]): boolean {
  return runs.some((r) => r.launches.some((l) => l.state === "training"));
}
