// Verdicts form trees: a cause explains its consequences. Where no verdict is the answer, there may be suspects.
import type { OverviewAnswer, SuspectAnswer, SymptomAnswer, VerdictAnswer } from "./api";

/** The verdicts and everything that they explain, each before what it explains. */
export function withExplained(verdicts: readonly VerdictAnswer[]): VerdictAnswer[] {
  return verdicts.flatMap((verdict) => [verdict, ...withExplained(verdict.explains)]);
}

/** The verdict that answers; null where a sick run has no more than notes, and its symptoms are the answer. */
export function leadingVerdict({ status, verdicts }: OverviewAnswer): VerdictAnswer | null {
  const [first] = verdicts;
  return first && !(status === "sick" && first.severity === "info") ? first : null;
}

/** The symptoms that the sentence does not tell. Where a verdict answers they follow from it, or are on the chain. */
export function otherSymptoms(overview: OverviewAnswer): SymptomAnswer[] {
  if (leadingVerdict(overview)) return [];
  return overview.symptoms.filter(({ message }) => !overview.sentence.includes(message.slice(1)));
}

/** The suspect or the first verdict with this code, in the order in which the page shows them. */
export function findFinding(overview: OverviewAnswer, code: number): VerdictAnswer | SuspectAnswer | null {
  const muted = overview.muted.flatMap((rule) => (rule.verdict ? [rule.verdict] : []));
  const all = withExplained([...overview.verdicts, ...overview.resolved, ...muted]);
  return [...overview.suspects, ...all].find((finding) => finding.code === code) ?? null;
}
