// The other verdicts: open, resolved and muted ones. They follow the chain, so that the first screen has one answer.
import type { MutedAnswer, OverviewAnswer, VerdictAnswer } from "../lib/api";
import { plural } from "../lib/format";
import { leadingVerdict, withExplained } from "../lib/verdicts";
import { Disclosure } from "./disclosure";
import { ExplainButton } from "./explain-button";
import { Verdict } from "./verdict";

function Verdicts({ verdicts, overview }: { verdicts: VerdictAnswer[]; overview: OverviewAnswer }) {
  return (
    <>
      {verdicts.map((v) => (
        <Verdict key={`${v.code}-${v.first_step}`} verdict={v} overview={overview} />
      ))}
    </>
  );
}

function Muted({ rule, overview }: { rule: MutedAnswer; overview: OverviewAnswer }) {
  if (rule.verdict) return <Verdict verdict={rule.verdict} overview={overview} />;
  return (
    <p>
      {rule.name} <span class="rule-code">{rule.code}</span> <span class="quiet">would not fire now</span>{" "}
      <ExplainButton rule={rule.code} name={rule.name} />
    </p>
  );
}

function titleOf(open: number, resolved: number): string {
  if (open > 0) return "Other findings";
  return resolved > 0 ? "Resolved findings" : "Muted rules";
}

export function OtherFindings({ overview }: { overview: OverviewAnswer }) {
  const lead = leadingVerdict(overview);
  const open = overview.verdicts.filter((verdict) => verdict !== lead);
  const { resolved, muted } = overview;
  if (open.length + resolved.length + muted.length === 0) return null;
  return (
    <section class="panel-section other-findings" aria-labelledby="other-findings-title">
      <h2 id="other-findings-title">{titleOf(open.length, resolved.length)}</h2>
      <Verdicts verdicts={open} overview={overview} />
      {resolved.length > 0 && (
        <Disclosure summary={plural(resolved.length, "resolved finding")} targets={withExplained(resolved)}>
          <Verdicts verdicts={resolved} overview={overview} />
        </Disclosure>
      )}
      {muted.length > 0 && (
        <Disclosure
          summary={plural(muted.length, "muted rule")}
          targets={withExplained(muted.flatMap((rule) => rule.verdict ?? []))}
        >
          {muted.map((rule) => (
            <Muted key={rule.code} rule={rule} overview={overview} />
          ))}
        </Disclosure>
      )}
    </section>
  );
}
