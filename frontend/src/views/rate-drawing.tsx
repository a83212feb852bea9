// The drawing of a learning-rate curve: axes, working range, marked rates, and a point for each rate that was tried.
import type { RateCurveAnswer } from "../lib/api";
import { formatNumber, formatShare, prose } from "../lib/format";
import { labelWidth, type PlacedMark } from "../lib/rate-marks";
import type { RatePlot, RatePoint } from "../lib/rate-scale";

const [LANE, BASELINE] = [17, 12]; // a lane of labels: its height, and where its text stands
const [TICK_LABEL, AXIS_TITLE, AXIS_HEIGHT] = [16, 33, 40]; // below the axis of learning rates
const LEAST_BAND = 10; // width of a working range of one rate

const share = (fall: number) => prose(formatShare(fall));

function ValueAxis({ plot }: { plot: RatePlot }) {
  const { left, right, bottom, edge, strip, yTicks } = plot;
  const label = (at: number, text: string) => (
    <text x={left - 8} y={at + 4} text-anchor="end">
      {text}
    </text>
  );
  return (
    <g>
      {yTicks.map(({ value, at }) => (
        <g key={value}>
          <line class={value === 0 ? "rate-zero" : "rate-grid"} x1={left} x2={right} y1={at} y2={at} />
          {label(at, share(value))}
        </g>
      ))}
      {edge !== null && label(bottom - 6, `< ${share(edge)}`)}
      {strip > 0 && (
        <>
          <line class="rate-grid" x1={left} x2={right} y1={bottom} y2={bottom} />
          {label(strip, "NaN or ∞")}
        </>
      )}
    </g>
  );
}

function RateAxis({ plot }: { plot: RatePlot }) {
  const { left, right, base, xTicks, gap } = plot;
  return (
    <g>
      <line class="rate-zero" x1={left} x2={right} y1={base} y2={base} />
      {xTicks.map(({ value, at }) => (
        <g key={value}>
          <line class="rate-zero" x1={at} x2={at} y1={base} y2={base + 4} />
          <text x={at} y={base + TICK_LABEL} text-anchor="middle">
            {formatNumber(value)}
          </text>
        </g>
      ))}
      {gap !== null && <path class="rate-gap" d={`M${gap - 5} ${base + 4}l4-8h6l-4 8z`} />}
      <text x={(left + right) / 2} y={base + AXIS_TITLE} text-anchor="middle">
        learning rate (log scale)
      </text>
    </g>
  );
}

interface BandProps {
  plot: RatePlot;
  curve: RateCurveAnswer;
  range: string;
}

/** The working range, with its label above it. */
function Band({ plot, curve, range }: BandProps) {
  const { left, right, base, x } = plot;
  if (curve.low === null || curve.high === null) return null;
  const [from, to] = [x(curve.low), x(curve.high)];
  const [middle, width] = [(from + to) / 2, Math.max(LEAST_BAND, to - from)];
  const half = labelWidth(range) / 2;
  const label = Math.max(left + half, Math.min(right - half, middle));
  return (
    <g>
      <rect class="rate-band" x={middle - width / 2} width={width} y={LANE} height={base - LANE} />
      <text class="rate-band-label" x={label} y={BASELINE} text-anchor="middle">
        {range}
      </text>
    </g>
  );
}

interface MarkProps {
  mark: PlacedMark;
  plot: RatePlot;
  firstLane: number;
}

function Mark({ mark, plot, firstLane }: MarkProps) {
  const top = (lane: number) => (firstLane + lane) * LANE;
  return (
    <g class={`rate-mark ${mark.kind}`}>
      <line x1={mark.x} x2={mark.x} y1={top(mark.line) + 2} y2={plot.base} />
      <text x={mark.at} y={top(mark.lane) + BASELINE} text-anchor={mark.anchor}>
        {mark.text}
      </text>
    </g>
  );
}

/** Lines between neighbouring points. They are dashed where they leave the axis, and end where the loss does. */
function Lines({ points }: { points: RatePoint[] }) {
  return (
    <g>
      {points.slice(1).map((to, i) => {
        const from = points[i] as RatePoint;
        const kinds = [from.kind, to.kind];
        if (kinds.includes("nonfinite") || from.rate === 0) return null;
        const leaves = kinds.includes("below");
        const line = { x1: from.x, y1: from.y, x2: to.x, y2: to.y };
        return <line key={to.rate} class={leaves ? "rate-line dashed" : "rate-line"} {...line} />;
      })}
    </g>
  );
}

function Point({ point: { kind, x, y } }: { point: RatePoint }) {
  if (kind === "inside") return <circle class="rate-point" cx={x} cy={y} r={4} />;
  if (kind === "below") return <path class="rate-point" d={`M${x - 6} ${y - 5}h12l-6 10z`} />;
  return <path class="rate-cross" d={`M${x - 4} ${y - 4}l8 8M${x + 4} ${y - 4}l-8 8`} />;
}

interface Props extends BandProps {
  marks: readonly PlacedMark[];
  active: number; // the point that is read
}

export function RateDrawing({ plot, curve, marks, range, active }: Props) {
  const point = plot.points[active];
  return (
    <svg width={plot.right + 10} height={plot.base + AXIS_HEIGHT} aria-hidden="true">
      <Band plot={plot} curve={curve} range={range} />
      <ValueAxis plot={plot} />
      <RateAxis plot={plot} />
      {marks.map((mark) => (
        <Mark key={mark.kind} mark={mark} plot={plot} firstLane={range ? 1 : 0} />
      ))}
      <Lines points={plot.points} />
      {plot.points.map((p) => (
        <Point key={p.rate} point={p} />
      ))}
      {point && <circle class="rate-active" cx={point.x} cy={point.y} r={9} />}
    </svg>
  );
}
