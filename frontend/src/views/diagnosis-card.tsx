// The answer: whether the weights move, and if not, why not and what to change; or what is suspected.
import type { OverviewAnswer } from "../lib/api";
import { cleanName, prose } from "../lib/format";
import { leadingVerdict, otherSymptoms } from "../lib/verdicts";
import { OutcomeMark } from "./outcome-mark";
import { lookOfOverview, StatusLine } from "./status-line";
import { SuspectList } from "./suspect-list";
import { Verdict } from "./verdict";

export function DiagnosisCard({ overview }: { overview: OverviewAnswer }) {
  const first = leadingVerdict(overview);
  const others = otherSymptoms(overview);
  return (
    <section class={`panel-section diagnosis-card ${lookOfOverview(overview)}`} aria-labelledby="sentence">
      <StatusLine overview={overview} size={18}>
        {first ? (
          <span>
            {first.name} <span class="rule-code">{first.code}</span> <OutcomeMark outcome={first.outcome} />
          </span>
        ) : (
          overview.status === "sick" && overview.symptoms[0] && <span>{overview.symptoms[0].title}</span>
        )}
        <span class="quiet">
          {overview.state === "died" && <strong class="diagnosis-died">died: </strong>}
          {cleanName(overview.state_text)}
        </span>
      </StatusLine>
      <h1 id="sentence" class="diagnosis-sentence">
        {prose(overview.sentence)}
      </h1>
      {others.length > 0 && (
        <ul class="diagnosis-symptoms" aria-label="Other symptoms">
          {others.map((symptom) => (
            <li key={symptom.name}>{prose(symptom.message)}</li>
          ))}
        </ul>
      )}
      {first && <Verdict lead verdict={first} overview={overview} />}
      <SuspectList overview={overview} />
      {overview.detail !== "" && <p class="diagnosis-detail">{prose(overview.detail)}</p>}
    </section>
  );
}
