// The heat maps of the compared runs, one below the other, on one colour scale and one step axis.
import { useMemo } from "preact/hooks";
import type { HeatmapAnswer, OverviewAnswer } from "../lib/api";
import { runLabel } from "../lib/format";
import { arrange, commonDomain } from "../lib/row-arrangement";
import { emptyText, filterRows } from "../lib/row-filter";
import { useSelector } from "../state";
import { HeatmapGrid } from "./heatmap-grid";
import { useNameFilter } from "./name-filter";
import { useComparedRuns } from "./use-axis";

interface Props {
  overview: OverviewAnswer;
  heatmap: HeatmapAnswer;
  low: number | undefined; // the ends of the common colour scale
  high: number | undefined;
}

const NO_BLOCKS: ReadonlySet<string> = new Set();

function ComparedHeatmap({ overview, heatmap, low, high }: Props) {
  const { order, variableFilter } = useSelector((s) => s.shown);
  const filter = useNameFilter(variableFilter);
  const arranged = useMemo(() => {
    const domain: [number, number] | null = low === undefined || high === undefined ? null : [low, high];
    return arrange({ ...filterRows(heatmap, filter), domain }, order, NO_BLOCKS);
  }, [heatmap, low, high, order, filter]);
  const empty = emptyText(arranged);
  if (empty !== "") return <p class="quiet">{empty}</p>;
  return (
    <HeatmapGrid
      verdicts={overview.verdicts}
      heatmap={arranged}
      allNames={heatmap.names}
      onToggleBlock={() => undefined}
    />
  );
}

export function ComparedHeatmaps() {
  const chosen = useSelector((s) => s.heatmap?.answer);
  const runs = useSelector((s) => s.runs?.runs);
  const compared = useComparedRuns().flatMap(({ run, overview, heatmap }) =>
    heatmap ? [{ run, overview, heatmap }] : [],
  );
  if (!chosen || compared.length === 0) return null;
  const [low, high] = commonDomain([chosen, ...compared.map((c) => c.heatmap)]) ?? [];
  return (
    <section class="panel-section" aria-label="Heat maps of the compared runs, on one colour scale">
      {compared.map(({ run, overview, heatmap }) => (
        <div key={run}>
          <h3 class="compared-heatmap-title">{runLabel(runs, run)}</h3>
          <ComparedHeatmap overview={overview} heatmap={heatmap} low={low} high={high} />
        </div>
      ))}
    </section>
  );
}
