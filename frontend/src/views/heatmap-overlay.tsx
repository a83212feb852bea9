// What lies over the heat map: the verdicts' spans, the chosen row, and the read-out under the pointer.
import type { HeatmapAnswer, OverviewAnswer, VerdictAnswer } from "../lib/api";
import { type Span, stretches, xOf } from "../lib/buckets";
import { cleanName, cleanText, formatRange, formatSteps } from "../lib/format";
import { ROW } from "../lib/layout";
import { type Arranged, rowsFor } from "../lib/row-arrangement";

export interface Spot {
  column: number;
  x: number; // in the plot
  y: number; // in the visible part
}

interface MarksProps {
  overview: OverviewAnswer;
  map: Arranged;
  span: Span;
  width: number;
  scroll: number;
  active: number; // the chosen row, or -1
}

const TAG = 32;

/** A verdict's frame around the rows it names; one that names no row of this map is a line at its first step. */
function Mark({
  verdict,
  at,
  map,
  span,
  width,
  scroll,
}: MarksProps & { verdict: VerdictAnswer; at: number }) {
  if (verdict.first_step > span.to || verdict.last_step < span.from) return null;
  const left = Math.max(0, Math.min(width - 3, xOf(verdict.first_step, span, width)));
  const right = Math.min(width, Math.max(left + 3, xOf(verdict.last_step, span, width)));
  const rows = stretches(rowsFor(map, verdict.variables));
  const tag = left + (at + 1) * TAG > width ? { right: "0" } : { left: `${at * TAG}px` };
  const code = (
    <span class="mark-code" style={tag}>
      {verdict.code}
    </span>
  );
  if (rows.length === 0)
    return (
      <div class="mark-line" style={{ left: `${left}px` }}>
        {code}
      </div>
    );
  return (
    <>
      {rows.map(([from, to], i) => (
        <div
          key={from}
          class="mark"
          style={{
            left: `${left}px`,
            width: `${right - left}px`,
            top: `${from * ROW - scroll}px`,
            height: `${(to - from + 1) * ROW - 1}px`,
          }}
        >
          {i === 0 && code}
        </div>
      ))}
    </>
  );
}

export function Marks(props: MarksProps) {
  const { overview, scroll, active } = props;
  return (
    <div class="marks">
      {overview.verdicts.map((verdict, at) => (
        <Mark key={`${verdict.code}-${verdict.first_step}`} {...props} verdict={verdict} at={at} />
      ))}
      {active >= 0 && (
        <div class="mark-row" style={{ top: `${active * ROW - scroll}px`, height: `${ROW - 1}px` }} />
      )}
    </div>
  );
}

export function Readout({
  map,
  row,
  spot,
  width,
}: {
  map: HeatmapAnswer;
  row: number;
  spot: Spot;
  width: number;
}) {
  const { column } = spot;
  const low = map.low[row]?.[column];
  const high = map.high[row]?.[column];
  const side = spot.x > width / 2 ? { right: `${width - spot.x + 14}px` } : { left: `${spot.x + 14}px` };
  return (
    <div class="readout" style={{ ...side, top: `${spot.y + 16}px` }}>
      <strong>{formatRange(low, high, map.quantity)}</strong>
      <br />
      {cleanName(map.names[row] ?? "")}
      <br />
      <span class="quiet">
        {cleanText(map.quantity.title)}, {formatSteps(map.first[column] ?? 0, map.last[column] ?? 0)}
      </span>
    </div>
  );
}
