// The step axis that all charts share.
import { commonSpan, type Span, zoomed } from "../lib/buckets";
import { type ComparedRun, useSelector } from "../state";

export interface Axis {
  whole: Span; // all steps of the shown run and of those compared with it
  span: Span; // the shown part of it
}

const NO_RUNS: ComparedRun[] = [];

/** The runs that are compared with the shown one. */
export function useComparedRuns(): ComparedRun[] {
  return useSelector((s) => s.comparison?.runs ?? NO_RUNS);
}

export function useAxis(): Axis {
  const heatmap = useSelector((s) => s.heatmap?.answer);
  const lastStep = useSelector((s) => s.overview?.answer.last_step ?? 1);
  const steps = useSelector((s) => s.shown.steps);
  const compared = useComparedRuns().map((c) => c.heatmap?.whole ?? []);
  const whole = commonSpan(heatmap?.whole ?? [], compared, lastStep);
  return { whole, span: zoomed(whole, steps) };
}
