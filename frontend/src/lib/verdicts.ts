// Verdicts form trees: a cause explains its consequences. Where no verdict is the answer, there may be suspects.
import type {
  ExperimentAnswer,
  OverviewAnswer,
  RuleRef,
  SuspectAnswer,
  SymptomAnswer,
  VerdictAnswer,
} from "./api";

/** The verdicts and everything that they explain, each before what it explains. */
export function withExplained(verdicts: readonly VerdictAnswer[]): VerdictAnswer[] {
  return verdicts.flatMap((verdict) => [verdict, ...withExplained(verdict.explains)]);
}

/** The verdict that answers; null where a sick run has no more than notes, and its symptoms are the answer. */
export function leadingVerdict({ status, verdicts }: OverviewAnswer): VerdictAnswer | null {
  const [first] = verdicts;
  return first && !(status === "sick" && first.severity === "info") ? first : null;
}

/** The suspect whose fix is shown beside the sentence: the first that no experiment has refuted. */
export function leadingSuspect(overview: OverviewAnswer): SuspectAnswer | null {
  if (leadingVerdict(overview)) return null;
  return overview.suspects.find(({ outcome }) => outcome !== "refuted") ?? null;
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

/** The check with this code among those that passed or could not tell. */
export function findRule({ passed, unknown }: OverviewAnswer, code: number): RuleRef | null {
  return [...passed, ...unknown].find((rule) => rule.code === code) ?? null;
}

/** The name of a rule in words. */
export function inWords(name: string): string {
  return name.replaceAll("-", " ");
}

/** The experiment that has tested a suspect and says of it what the suspect says. */
export function experimentOf(
  { experiments }: OverviewAnswer,
  { name, outcome }: SuspectAnswer,
): ExperimentAnswer | undefined {
  return experiments.find(({ causes }) => causes.some((c) => c.name === name && c.outcome === outcome));
}

/** The heading of the suspects: none of them is a suspect any more if experiments have confirmed them all. */
export function suspectsTitle(suspects: readonly SuspectAnswer[]): string {
  if (suspects.some(({ outcome }) => outcome !== "confirmed")) return "Suspects";
  return suspects.length === 1 ? "Cause" : "Causes";
}

/** What is known of the causes. Suspects that an experiment has confirmed stand first. */
export function suspectsIntro(suspects: readonly SuspectAnswer[]): string {
  const count = (outcome: SuspectAnswer["outcome"]) => suspects.filter((s) => s.outcome === outcome).length;
  const [confirmed, refuted, all] = [count("confirmed"), count("refuted"), suspects.length];
  const others =
    confirmed + refuted < all ? " The others fit what was recorded, the most probable first." : "";
  if (confirmed > 0) return `${confirmedText(confirmed, all)}${refutedText(refuted)}${others}`;
  const fits = "These causes fit what was recorded, the most probable first.";
  return `No check has proven a cause. ${fits}${refutedText(refuted)}`;
}

function confirmedText(confirmed: number, all: number): string {
  if (confirmed === 1) return `An experiment has confirmed ${all === 1 ? "this cause" : "the first cause"}.`;
  return `Experiments have confirmed ${confirmed === all ? "these causes" : `the first ${confirmed} causes`}.`;
}

function refutedText(refuted: number): string {
  if (refuted === 0) return "";
  return refuted === 1 ? " An experiment has refuted one." : ` Experiments have refuted ${refuted}.`;
}
