// One verdict: what to do, how certain it is, when and where it holds, by which numbers, and what it explains.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { OverviewAnswer, VerdictAnswer } from "../lib/api";
import { formatCount, plural, prose } from "../lib/format";
import { withExplained } from "../lib/verdicts";
import { Disclosure } from "./disclosure";
import { ExplainButton } from "./explain-button";
import { OutcomeMark } from "./outcome-mark";
import { Sentence } from "./sentence";
import { lookOfSeverity, StatusIcon } from "./status-icon";
import { SuggestedFix } from "./suggested-fix";
import { useScrollTarget } from "./use-scroll-target";
import { EvidenceList, VariableButtons } from "./verdict-evidence";

const CERTAINTY: Record<VerdictAnswer["certainty"], string> = {
  certain: "certain (exact)",
  likely: "likely (from statistics)",
};

function stepsOf({ first_step, last_step, resolved }: VerdictAnswer): string {
  const steps =
    first_step === last_step
      ? `step ${formatCount(first_step)}`
      : `steps ${formatCount(first_step)} to ${formatCount(last_step)}`;
  return resolved ? steps : `${steps}, ongoing`;
}

function Title({ verdict, level }: { verdict: VerdictAnswer; level: 2 | 3 | 4 }) {
  const Heading = `h${level}` as const;
  return (
    <Heading class="verdict-title">
      <StatusIcon look={lookOfSeverity(verdict.severity)} />
      {verdict.name} <span class="rule-code">{verdict.code}</span>
      <span class="verdict-severity">{verdict.severity}</span>
      <OutcomeMark outcome={verdict.outcome} />
      <ExplainButton rule={verdict.code} name={verdict.name} />
    </Heading>
  );
}

function Row({ term, children }: { term: string; children: ComponentChildren }) {
  return (
    <>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </>
  );
}

function Details({ verdict, overview }: { verdict: VerdictAnswer; overview: OverviewAnswer }) {
  const { variables, evidence } = verdict;
  return (
    <dl class="verdict-details">
      <Row term="Certainty">
        {CERTAINTY[verdict.certainty]} <span class="quiet">· {stepsOf(verdict)}</span>
      </Row>
      {verdict.experiment !== "" && (
        <Row term="Experiment">
          <Sentence text={verdict.experiment} />
        </Row>
      )}
      {variables.length > 0 && (
        <Row term="Where">
          <span class="quiet">{plural(variables.length, "variable")}:</span>{" "}
          <VariableButtons names={variables} overview={overview} />
        </Row>
      )}
      {evidence.length > 0 && (
        <Row term="Evidence">
          <EvidenceList items={evidence} overview={overview} />
        </Row>
      )}
    </dl>
  );
}

interface Props {
  verdict: VerdictAnswer;
  overview: OverviewAnswer;
  lead?: boolean; // the answer of the page: its name, message and fix stand above
  level?: 2 | 3 | 4; // of its heading
}

export function Verdict({ verdict, overview, lead = false, level = 3 }: Props) {
  const [flashing, setFlashing] = useState(false);
  const ref = useScrollTarget<HTMLElement>(verdict, () => setFlashing(true));
  return (
    <article
      ref={ref}
      class={`verdict${lead ? " verdict-lead" : ""}${flashing ? " verdict-flashing" : ""}`}
      aria-label={`${verdict.name} (${verdict.code})`}
      onAnimationEnd={() => setFlashing(false)}
    >
      {!lead && (
        <>
          <Title verdict={verdict} level={level} />
          <p class="verdict-message">
            <strong>{prose(verdict.headline)}.</strong> <Sentence text={verdict.rest} />
          </p>
          <SuggestedFix fix={verdict.fix} />
        </>
      )}
      <Details verdict={verdict} overview={overview} />
      {verdict.explains.length > 0 && (
        <Explained verdict={verdict} overview={overview} level={lead ? 2 : 4} />
      )}
    </article>
  );
}

function Explained({ verdict, overview, level }: Required<Omit<Props, "lead">>) {
  const { explains } = verdict;
  const names = explains.map((v) => v.name).join(", ");
  return (
    <Disclosure
      summary={`Explains ${plural(explains.length, "other finding")}: ${names}`}
      targets={withExplained(explains)}
    >
      {explains.map((v) => (
        <Verdict key={`${v.code}-${v.first_step}`} verdict={v} overview={overview} level={level} />
      ))}
    </Disclosure>
  );
}
