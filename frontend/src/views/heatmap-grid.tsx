// The grid of a heat map: the names of the rows, the plot, and the step axis.
import { useState } from "preact/hooks";
import type { VerdictAnswer } from "../lib/api";
import { type Span, ticksOf, xOf } from "../lib/buckets";
import { formatCount } from "../lib/format";
import { type Geometry, gutterWidth, plotWidth, ROW_HEIGHT, VISIBLE_ROWS } from "../lib/layout";
import type { ArrangedHeatmap } from "../lib/row-arrangement";
import { useSelector } from "../state";
import { HeatmapPlot } from "./heatmap-plot";
import { HeatmapRows } from "./heatmap-rows";
import { useAxis } from "./use-axis";
import { useWidth } from "./use-width";

interface Props {
  verdicts: VerdictAnswer[]; // to be marked
  heatmap: ArrangedHeatmap;
  allNames: readonly string[]; // of its rows, and of those that the search hides
  onToggleBlock: (block: string) => void;
}

function StepTicks({ span, width, gutter }: { span: Span; width: number; gutter: number }) {
  return (
    <div class="heatmap-ticks" style={{ marginLeft: `${gutter}px`, width: `${width}px` }} aria-hidden="true">
      {ticksOf(span, width / 110).map((tick) => (
        <span key={tick} style={{ left: `${xOf(tick, span, width)}px` }}>
          {formatCount(tick)}
        </span>
      ))}
    </div>
  );
}

export function HeatmapGrid(props: Props) {
  const chosen = useSelector((s) => s.shown.variable);
  const axis = useAxis();
  const { ref, width } = useWidth<HTMLDivElement>();
  const [scroll, setScroll] = useState(0);
  const geometry: Geometry = {
    gutter: gutterWidth(width),
    width: plotWidth(width),
    height: Math.min(props.heatmap.names.length, VISIBLE_ROWS) * ROW_HEIGHT,
    scroll,
  };
  return (
    <div class="heatmap-grid" ref={ref}>
      {width > 0 && (
        <>
          <HeatmapRows {...props} chosen={chosen} geometry={geometry} onScroll={setScroll} />
          <HeatmapPlot {...props} {...axis} chosen={chosen} geometry={geometry} />
          <StepTicks span={axis.span} width={geometry.width} gutter={geometry.gutter} />
        </>
      )}
    </div>
  );
}
