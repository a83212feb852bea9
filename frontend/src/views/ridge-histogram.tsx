// Histograms of a variable's elements at a few steps: one ridge per step, the newest at the bottom.
import type { HistogramAnswer } from "../lib/api";
import { logTicks } from "../lib/buckets";
import { cleanText, formatCount, formatNumber, formatShare } from "../lib/format";
import { ExportButtons } from "./export-buttons";

const [WIDTH, RIDGE, LEFT, RIGHT, AXIS, LINE] = [330, 26, 46, 78, 22, 12]; // in units of the drawing
const PLOT = WIDTH - LEFT - RIGHT;
const MAX_TICKS = 4;

interface RidgeProps {
  histogram: HistogramAnswer;
  index: number; // of the step
  peak: number; // the largest share of all steps
}

/** The share of a bin in words, as its tooltip. */
function binText({ steps, shares, ends }: HistogramAnswer, index: number, bin: number): string {
  const step = formatCount(steps[index] ?? 0);
  const share = formatShare(shares[index]?.[bin] ?? 0);
  return `step ${step}: ${share} of the elements from ${formatNumber(ends[bin] ?? 0)} to ${formatNumber(ends[bin + 1] ?? 0)}`;
}

/** The shares that have no place on the log scale: exact zeros, and elements that are not a number. */
function offScaleTexts({ zero, odd }: HistogramAnswer, index: number): string[] {
  const texts = [
    [zero[index] ?? 0, "0"],
    [odd[index] ?? 0, "✕"],
  ] as const;
  return texts.flatMap(([share, sign]) => (share > 0 ? [`${sign}: ${formatShare(share)}`] : []));
}

function Ridge({ histogram, index, peak }: RidgeProps) {
  const shares = histogram.shares[index] ?? [];
  const width = PLOT / Math.max(1, shares.length);
  const base = (index + 1) * RIDGE;
  const y = (share: number) => base - (share / peak) * (RIDGE - 3);
  const outline = shares.map(
    (share, bin) => `L${LEFT + bin * width} ${y(share)}H${LEFT + (bin + 1) * width}`,
  );
  return (
    <g>
      <text x={LEFT - 8} y={base - 4} text-anchor="end">
        {formatCount(histogram.steps[index] ?? 0)}
      </text>
      <path class="ridge" d={`M${LEFT} ${base}${outline.join("")}V${base}Z`} />
      {shares.map((_, bin) => (
        <rect
          key={bin}
          class="ridge-bin"
          x={LEFT + bin * width}
          y={base - RIDGE}
          width={width}
          height={RIDGE}
        >
          <title>{binText(histogram, index, bin)}</title>
        </rect>
      ))}
      {offScaleTexts(histogram, index).map((text, line, all) => (
        <text key={text} x={WIDTH - RIGHT + 8} y={base - 4 - LINE * (all.length - 1 - line)}>
          {text}
        </text>
      ))}
    </g>
  );
}

function ValueAxis({ ends, top }: { ends: number[]; top: number }) {
  const [low, high] = [ends[0] ?? 1, ends[ends.length - 1] ?? 1];
  if (!(high > low)) return null;
  const x = (value: number) => LEFT + (Math.log(value / low) / Math.log(high / low)) * PLOT;
  return (
    <g>
      {logTicks(low, high, MAX_TICKS).map((value) => (
        <text key={value} x={x(value)} y={top + 15} text-anchor="middle">
          {formatNumber(value)}
        </text>
      ))}
    </g>
  );
}

function tableOf({ steps, ends, shares, zero, odd, odd_meaning }: HistogramAnswer) {
  return [
    ["step", "exactly 0", ...ends.slice(0, -1).map((end) => `from ${end}`), odd_meaning],
    ...steps.map((step, i) => [step, zero[i] ?? 0, ...(shares[i] ?? []), odd[i] ?? 0]),
  ];
}

interface Props {
  name: string; // of the variable
  histogram: HistogramAnswer;
}

export function RidgeHistogram({ name, histogram }: Props) {
  const { kind, title, meaning, odd_meaning, steps, shares, ends, odd } = histogram;
  const peak = Math.max(1e-9, ...shares.flat());
  const height = steps.length * RIDGE;
  return (
    <figure class="ridge-histogram">
      <figcaption class="variable-maps-caption">
        <strong>{cleanText(title)}</strong>{" "}
        <ExportButtons name={`${name} ${kind}`} steps={steps} table={() => tableOf(histogram)} />
        <span class="quiet">{cleanText(meaning)}</span>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${height + AXIS}`}
        role="img"
        aria-label={`${cleanText(meaning)}, at ${steps.length} steps`}
      >
        {steps.map((step, i) => (
          <Ridge key={step} histogram={histogram} index={i} peak={peak} />
        ))}
        <ValueAxis ends={ends} top={height} />
      </svg>
      {odd.some((share) => share > 0) && <p class="quiet">✕: {cleanText(odd_meaning)}</p>}
    </figure>
  );
}
