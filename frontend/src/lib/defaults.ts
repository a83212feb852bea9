// What is shown when nothing, or something that is gone, was chosen.
import type { LaunchEntry, OverviewAnswer, QuantityAnswer, RunEntry, Severity } from "./api";

const RANK: Record<Severity, number> = { none: 0, info: 1, warning: 2, error: 3 };

export function newest(run: RunEntry): LaunchEntry | undefined {
  return run.launches[run.launches.length - 1];
}

export function worse(a: Severity, b: Severity): number {
  return RANK[a] - RANK[b];
}

/** The chosen run where it still exists; else the newest that is sick; else the newest. */
export function chooseRun(runs: readonly RunEntry[], wanted: string): string {
  if (runs.some((r) => r.run === wanted)) return wanted;
  const byAge = [...runs].sort((a, b) => (newest(b)?.started ?? 0) - (newest(a)?.started ?? 0));
  return (byAge.find((r) => newest(r)?.status === "sick") ?? byAge[0])?.run ?? "";
}

/** The chosen launch where it still exists; "" = the newest, also when a newer one appears. */
export function chooseLaunch(runs: readonly RunEntry[], run: string, wanted: string): string {
  const launches = runs.find((r) => r.run === run)?.launches ?? [];
  return launches.some((l) => l.launch === wanted) ? wanted : "";
}

export function mapQuantities(overview: OverviewAnswer): QuantityAnswer[] {
  return overview.quantities.filter((q) => q.axis !== "run");
}

export function chooseQuantity(overview: OverviewAnswer, wanted: string): string {
  const all = mapQuantities(overview);
  return (all.find((q) => q.name === wanted) ?? all[0])?.name ?? "";
}

/** The chosen variable or layer; else the first that the first verdict names; else the first of all. */
export function chooseVariable(overview: OverviewAnswer, wanted: string): string {
  const names = overview.variables.map((v) => v.name);
  if (names.includes(wanted) || overview.layers.includes(wanted)) return wanted;
  const accused = overview.verdicts[0]?.variables.find((name) => names.includes(name));
  return accused ?? names[0] ?? overview.layers[0] ?? "";
}

/** Moves a choice up or down a list, staying inside it. */
export function step(names: readonly string[], current: string, by: number): string {
  const at = names.indexOf(current);
  return names[Math.min(names.length - 1, Math.max(0, at < 0 ? 0 : at + by))] ?? current;
}

export function isTraining(runs: readonly RunEntry[]): boolean {
  return runs.some((r) => r.launches.some((l) => l.state === "training"));
}
