// Verdicts form trees: a cause explains its consequences.
import type { OverviewAnswer, VerdictAnswer } from "./api";

/** The verdicts and everything that they explain, each before what it explains. */
export function withExplained(verdicts: readonly VerdictAnswer[]): VerdictAnswer[] {
  return verdicts.flatMap((verdict) => [verdict, ...withExplained(verdict.explains)]);
}

/** The first verdict with this code, in the order in which the page shows them. */
export function findVerdict(overview: OverviewAnswer, code: number): VerdictAnswer | null {
  const muted = overview.muted.flatMap((rule) => (rule.verdict ? [rule.verdict] : []));
  const all = withExplained([...overview.verdicts, ...overview.resolved, ...muted]);
  return all.find((verdict) => verdict.code === code) ?? null;
}
