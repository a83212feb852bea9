// The answer: whether the weights move, and if not, why not and what to change.
import type { OverviewAnswer } from "../lib/api";
import { cleanName, prose } from "../lib/format";
import { lookOfOverview, StatusLine } from "./status-line";
import { Verdict } from "./verdict";

export function DiagnosisCard({ overview }: { overview: OverviewAnswer }) {
  const first = overview.verdicts[0];
  return (
    <section class={`panel-section diagnosis-card ${lookOfOverview(overview)}`} aria-labelledby="sentence">
      <StatusLine overview={overview} size={18}>
        {first && (
          <span>
            {first.name} <span class="rule-code">{first.code}</span>
          </span>
        )}
        <span class="quiet">
          {overview.state === "died" && <strong class="diagnosis-died">died: </strong>}
          {cleanName(overview.state_text)}
        </span>
      </StatusLine>
      <h1 id="sentence" class="diagnosis-sentence">
        {prose(overview.sentence)}
      </h1>
      {first && <Verdict lead verdict={first} overview={overview} />}
      {overview.detail !== "" && <p class="diagnosis-detail">{prose(overview.detail)}</p>}
    </section>
  );
}
