// Everything about the shown run: diagnosis, chain, experiments, heat map, curves, and the checks.
import type { ComponentChildren } from "preact";
import type { OverviewAnswer } from "../lib/api";
import { type ComparedRun, useSelector } from "../state";
import { Chain } from "./chain";
import { CheckList, Footer } from "./check-list";
import { ComparedHeatmaps } from "./compared-heatmaps";
import { CurveList } from "./curve-list";
import { DiagnosisCard } from "./diagnosis-card";
import { DiagnosisEvidence } from "./diagnosis-evidence";
import { ExperimentList } from "./experiment-list";
import { Heatmap } from "./heatmap";
import { OtherFindings } from "./other-findings";
import { RunComparison } from "./run-comparison";
import { VariableMaps } from "./variable-maps";

/** Fades the page while the answers to a changed selection are on their way. */
function Busy({ children }: { children: ComponentChildren }) {
  const busy = useSelector((s) => s.busy);
  return <div class={busy ? "page-sections page-busy" : "page-sections"}>{children}</div>;
}

function Diagnosis({ overview }: { overview: OverviewAnswer }) {
  return (
    <>
      <DiagnosisCard overview={overview} />
      <Chain overview={overview} />
      <DiagnosisEvidence overview={overview} />
      <OtherFindings overview={overview} />
      <ExperimentList overview={overview} />
    </>
  );
}

function RunCurves({ title, part }: { title: string; part: "lead" | "rest" }) {
  const answer = useSelector((s) => s.runCurves?.answer);
  return answer ? <CurveList title={title} part={part} answer={answer} comparedOf={runCurvesOf} /> : null;
}

const runCurvesOf = (compared: ComparedRun) => compared.runCurves;

function VariableCurves() {
  const answer = useSelector((s) => s.variableCurves?.answer);
  return answer ? (
    <CurveList title="Curves of" part="all" answer={answer} comparedOf={variableCurvesOf} />
  ) : null;
}

const variableCurvesOf = (compared: ComparedRun) => compared.variableCurves;

export function RunPage({ overview }: { overview: OverviewAnswer }) {
  const comparing = useSelector((s) => s.comparison !== null);
  return (
    <Busy>
      {comparing ? <RunComparison overview={overview} /> : <Diagnosis overview={overview} />}
      <RunCurves title="Run curves" part="lead" />
      <Heatmap overview={overview} />
      <ComparedHeatmaps />
      <VariableCurves />
      <VariableMaps />
      <RunCurves title="More run curves" part="rest" />
      <CheckList overview={overview} />
      <Footer overview={overview} />
    </Busy>
  );
}
