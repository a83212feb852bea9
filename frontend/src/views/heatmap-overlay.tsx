// Drawn over the heat map: the marks of the verdicts, the chosen row, and the value under the pointer.
import type { HeatmapAnswer, VerdictAnswer } from "../lib/api";
import { edgesOf, rowRanges, type Span } from "../lib/buckets";
import { cleanName, cleanText, formatRange } from "../lib/format";
import { type Geometry, ROW_HEIGHT } from "../lib/layout";
import { type ArrangedHeatmap, rowsOf } from "../lib/row-arrangement";
import { type Slot, slotText } from "../lib/slots";

export interface PointerPosition {
  step: number;
  x: number; // in the plot
  y: number; // in its visible part
}

interface MarksProps {
  verdicts: VerdictAnswer[];
  heatmap: ArrangedHeatmap;
  allNames: readonly string[]; // also of the rows that the search hides
  span: Span;
  geometry: Geometry;
  activeRow: number; // the chosen row, or -1
}

const CODE_WIDTH = 32; // codes of several verdicts that begin at one step stand side by side
const MIN_WIDTH = 3;

/** A frame around the rows that a verdict names; a line at its first step if it names none of this heat map; nothing if its rows are hidden. */
function Mark({ verdict, index, ...props }: MarksProps & { verdict: VerdictAnswer; index: number }) {
  const { heatmap, allNames, span } = props;
  const { width, scroll } = props.geometry;
  if (verdict.first_step > span.to || verdict.last_step < span.from) return null;
  const edges = edgesOf(verdict.first_step, verdict.last_step, span, width);
  const left = Math.max(0, Math.min(width - MIN_WIDTH, edges[0]));
  const right = Math.min(width, Math.max(left + MIN_WIDTH, edges[1]));
  const overflows = left + (index + 1) * CODE_WIDTH > width;
  const code = (
    <span class="heatmap-code" style={overflows ? { right: "0" } : { left: `${index * CODE_WIDTH}px` }}>
      {verdict.code}
    </span>
  );
  const ranges = rowRanges(rowsOf(heatmap, verdict.variables));
  const isElsewhere = !verdict.variables.some((name) => allNames.includes(name));
  if (isElsewhere)
    return (
      <div class="heatmap-mark-line" style={{ left: `${left}px` }}>
        {code}
      </div>
    );
  return (
    <>
      {ranges.map(([from, to], i) => {
        const [top, height] = [from * ROW_HEIGHT - scroll, (to - from + 1) * ROW_HEIGHT - 1];
        const box = { left, top, width: right - left, height };
        return (
          <div key={from} class="heatmap-mark" style={pixels(box)}>
            {i === 0 && code}
          </div>
        );
      })}
    </>
  );
}

function pixels(sizes: Record<string, number>): Record<string, string> {
  return Object.fromEntries(Object.entries(sizes).map(([key, size]) => [key, `${size}px`]));
}

export function VerdictMarks(props: MarksProps) {
  const { verdicts, activeRow, geometry } = props;
  const top = activeRow * ROW_HEIGHT - geometry.scroll;
  return (
    <div class="heatmap-marks">
      {verdicts.map((verdict, index) => (
        <Mark key={`${verdict.code}-${verdict.first_step}`} {...props} verdict={verdict} index={index} />
      ))}
      {activeRow >= 0 && <div class="heatmap-active-row" style={pixels({ top, height: ROW_HEIGHT - 1 })} />}
    </div>
  );
}

interface ReadoutProps {
  heatmap: HeatmapAnswer;
  row: number;
  slot: Slot; // under the pointer
  pointer: PointerPosition;
  width: number; // of the plot
}

export function HeatmapReadout({ heatmap, row, slot, pointer: { x, y }, width }: ReadoutProps) {
  const isKnown = slot.recorded !== null;
  const [low, high] = [heatmap.low[row]?.[slot.bucket], heatmap.high[row]?.[slot.bucket]];
  const beside = x > width / 2 ? { right: width - x + 14 } : { left: x + 14 };
  return (
    <div class="heatmap-readout" style={pixels({ ...beside, top: y + 16 })}>
      <strong>{isKnown ? formatRange(low, high, heatmap.quantity) : "no data"}</strong>
      <br />
      {cleanName(heatmap.names[row] ?? "")}
      <br />
      <span class="quiet">
        {cleanText(heatmap.quantity.title)}, <span class="heatmap-readout-steps">{slotText(slot)}</span>
      </span>
    </div>
  );
}
