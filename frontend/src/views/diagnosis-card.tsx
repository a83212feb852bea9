// The answer: whether the weights move, and if not, why not and what to change. What supports it follows the chain.
import type { OverviewAnswer } from "../lib/api";
import { cleanName, cleanText, prose } from "../lib/format";
import { leadingSuspect, leadingVerdict } from "../lib/verdicts";
import { ExplainButton } from "./explain-button";
import { OutcomeMark } from "./outcome-mark";
import { lookOfOverview, StatusLine } from "./status-line";
import { SuggestedFix } from "./suggested-fix";

/** The name of the verdict, or of the symptom where no verdict answers. */
function Name({ overview }: { overview: OverviewAnswer }) {
  const first = leadingVerdict(overview);
  if (!first) return overview.status === "sick" ? <span>{overview.symptoms[0]?.title}</span> : null;
  return (
    <span>
      {first.name} <span class="rule-code">{first.code}</span> <OutcomeMark outcome={first.outcome} />{" "}
      <ExplainButton rule={first.code} name={first.name} />
    </span>
  );
}

/** The fix of the verdict, or of the first suspect that no experiment has refuted. */
function Fix({ overview }: { overview: OverviewAnswer }) {
  const first = leadingVerdict(overview);
  if (first) return <SuggestedFix fix={first.fix} />;
  const suspect = leadingSuspect(overview);
  if (!suspect) return null;
  const title = suspect.outcome === "confirmed" ? "What to do" : `What to do if it is ${suspect.name}`;
  return <SuggestedFix fix={suspect.fix} title={title} />;
}

export function DiagnosisCard({ overview }: { overview: OverviewAnswer }) {
  return (
    <section class={`panel-section diagnosis-card ${lookOfOverview(overview)}`} aria-labelledby="sentence">
      <StatusLine overview={overview} size={18}>
        <Name overview={overview} />
        <span class="quiet">
          {overview.state === "died" && <strong class="diagnosis-died">died: </strong>}
          {cleanName(overview.state_text)}
        </span>
      </StatusLine>
      <h1 id="sentence" class="diagnosis-sentence" title={cleanText(overview.sentence)}>
        {prose(overview.headline)}
      </h1>
      <Fix overview={overview} />
    </section>
  );
}
