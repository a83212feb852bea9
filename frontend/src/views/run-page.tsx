// Everything about the shown run: diagnosis, chain, experiments, heat map, curves, and the checks.
import type { ComponentChildren } from "preact";
import type { OverviewAnswer } from "../lib/api";
import { runLabel } from "../lib/format";
import { comparedRuns } from "../lib/selection";
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
import { PollError } from "./poll-error";
import { RunComparison } from "./run-comparison";
import { EmptySection } from "./run-skeleton";
import { RunTitle } from "./run-title";
import { useComparedRuns } from "./use-axis";
import { VariableMaps } from "./variable-maps";

/** Marks what the answers to a changed selection will replace. What was of another launch is gone already. */
function Replaceable({ children }: { children: ComponentChildren }) {
  const busy = useSelector((s) => s.busy);
  return (
    <div class={busy ? "page-sections page-busy" : "page-sections"} aria-busy={busy}>
      {children}
    </div>
  );
}

/** The runs that are being loaded for the comparison. */
function PendingComparison() {
  const shown = useSelector((s) => s.shown);
  const runs = useSelector((s) => s.runs?.runs);
  const loaded = useComparedRuns();
  const error = useSelector((s) => s.pollError);
  const pending = comparedRuns(shown).filter(
    (run) => runs?.some((r) => r.run === run) && !loaded.some((c) => c.run === run),
  );
  if (pending.length === 0) return null;
  const names = pending.map((run) => runLabel(runs, run)).join(", ");
  return (
    <p class="page-pending quiet" role="status">
      {error === "" ? `Loading ${names} for the comparison …` : `${names} could not be loaded.`}
    </p>
  );
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
  if (!answer) return part === "lead" ? <EmptySection title={title} lines={8} /> : null;
  return <CurveList title={title} part={part} answer={answer} comparedOf={runCurvesOf} />;
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
    <div class="page-sections">
      <RunTitle run={overview.run} launch={overview.launch} />
      <PollError />
      <PendingComparison />
      {comparing ? <RunComparison overview={overview} /> : <Diagnosis overview={overview} />}
      <Replaceable>
        <RunCurves title="Run curves" part="lead" />
        <Heatmap overview={overview} />
        <ComparedHeatmaps />
        <VariableCurves />
        <VariableMaps />
        <RunCurves title="More run curves" part="rest" />
      </Replaceable>
      <CheckList overview={overview} />
      <Footer overview={overview} />
    </div>
  );
}
