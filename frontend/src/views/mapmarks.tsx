// What lies over the heat map: the verdicts' spans, the chosen row, and the read-out under the pointer.
import type { HeatmapAnswer, OverviewAnswer } from "../lib/api";
import { type Span, stretches, xOf } from "../lib/buckets";
import { rowsOf } from "../lib/choose";
import { cleanName, cleanText, formatCell, formatSteps } from "../lib/format";
import { ROW } from "../lib/layout";
import type { Spot } from "./heatmap";

interface MarksProps {
  overview: OverviewAnswer;
  map: HeatmapAnswer;
  span: Span;
  width: number;
  scroll: number;
  active: number; // the chosen row, or -1
}

export function Marks({ overview, map, span, width, scroll, active }: MarksProps) {
  return (
    <div class="marks">
      {overview.verdicts.flatMap((verdict, v) =>
        stretches(rowsOf(map, verdict.variables)).map(([from, to]) => {
          const left = Math.max(0, Math.min(width - 3, xOf(verdict.first_step, span, width)));
          const right = Math.min(width, Math.max(left + 3, xOf(verdict.last_step, span, width)));
          return (
            <div
              key={`${v}-${from}`}
              class={`mark ${verdict.severity}`}
              style={{
                left: `${left}px`,
                width: `${right - left}px`,
                top: `${from * ROW - scroll}px`,
                height: `${(to - from + 1) * ROW - 1}px`,
              }}
            >
              <span class="mark-code" style={{ left: `${v * 32}px` }}>
                {verdict.code}
              </span>
            </div>
          );
        }),
      )}
      {active >= 0 && (
        <div class="mark-row" style={{ top: `${active * ROW - scroll}px`, height: `${ROW - 1}px` }} />
      )}
    </div>
  );
}

export function Readout({ map, spot, width }: { map: HeatmapAnswer; spot: Spot; width: number }) {
  const { row, column } = spot;
  const low = map.low[row]?.[column];
  const high = map.high[row]?.[column];
  const value = low === high ? formatCell(high) : `${formatCell(low)} to ${formatCell(high)}`;
  const side = spot.x > width / 2 ? { right: `${width - spot.x + 14}px` } : { left: `${spot.x + 14}px` };
  return (
    <div class="readout" style={{ ...side, top: `${spot.y + 16}px` }}>
      <strong>{value}</strong> {map.quantity.unit}
      <br />
      {cleanName(map.names[row] ?? "")}
      <br />
      <span class="quiet">
        {cleanText(map.quantity.title)}, {formatSteps(map.first[column] ?? 0, map.last[column] ?? 0)}
      </span>
    </div>
  );
}
