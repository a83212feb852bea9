// What supports the answer: its numbers, variables and consequences, the other symptoms, and the suspects.
import type { OverviewAnswer } from "../lib/api";
import { prose } from "../lib/format";
import { leadingVerdict, otherSymptoms } from "../lib/verdicts";
import { Sentence } from "./sentence";
import { SuspectList } from "./suspect-list";
import { Verdict } from "./verdict";

function OtherSymptoms({ overview }: { overview: OverviewAnswer }) {
  const others = otherSymptoms(overview);
  if (others.length === 0) return null;
  return (
    <ul class="diagnosis-symptoms" aria-label="Other symptoms">
      {others.map((symptom) => (
        <li key={symptom.name}>{prose(symptom.message)}</li>
      ))}
    </ul>
  );
}

export function DiagnosisEvidence({ overview }: { overview: OverviewAnswer }) {
  const first = leadingVerdict(overview);
  const { rest, detail, symptoms, suspects } = overview;
  if (!first && rest + detail === "" && symptoms.length + suspects.length === 0) return null;
  return (
    <section class="panel-section" aria-labelledby="evidence-title">
      <h2 id="evidence-title">{overview.status === "sick" ? "Why" : "Details"}</h2>
      {rest !== "" && (
        <p class="diagnosis-rest">
          <Sentence text={rest} />
        </p>
      )}
      <OtherSymptoms overview={overview} />
      {first && <Verdict lead verdict={first} overview={overview} />}
      <SuspectList overview={overview} />
      {detail !== "" && <p class="diagnosis-detail">{prose(detail)}</p>}
    </section>
  );
}
