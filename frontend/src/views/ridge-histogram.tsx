// How many elements lie where, at a few steps: one ridge a step, the newest lowest.
import type { HistogramAnswer } from "../lib/api";
import { logTicks } from "../lib/buckets";
import { cleanText, formatCount, formatShare, formatTick } from "../lib/format";
import { Tools } from "./export-buttons";

const [WIDTH, RIDGE, LEFT, RIGHT] = [330, 26, 46, 78];

function Ridge({ h, at, peak }: { h: HistogramAnswer; at: number; peak: number }) {
  const shares = h.shares[at] ?? [];
  const wide = (WIDTH - LEFT - RIGHT) / Math.max(1, shares.length);
  const base = (at + 1) * RIDGE;
  const y = (share: number) => base - (share / peak) * (RIDGE - 3);
  const path = shares.map((s, k) => `L${LEFT + k * wide} ${y(s)}H${LEFT + (k + 1) * wide}`).join("");
  const beside = [
    (h.zero[at] ?? 0) > 0 && `0: ${formatShare(h.zero[at] as number)}`,
    (h.odd[at] ?? 0) > 0 && `✕: ${formatShare(h.odd[at] as number)}`,
  ].filter(Boolean);
  return (
    <g>
      <text x={LEFT - 8} y={base - 4} text-anchor="end">
        {formatCount(h.steps[at] ?? 0)}
      </text>
      <path class="ridge" d={`M${LEFT} ${base}${path}V${base}Z`} />
      {shares.map((share, k) => (
        <rect key={k} class="ridge-hit" x={LEFT + k * wide} y={base - RIDGE} width={wide} height={RIDGE}>
          <title>
            {`step ${formatCount(h.steps[at] ?? 0)}: ${formatShare(share)} of the elements from ${formatTick(h.ends[k] ?? 0)} to ${formatTick(h.ends[k + 1] ?? 0)}`}
          </title>
        </rect>
      ))}
      <text x={WIDTH - RIGHT + 8} y={base - 4}>
        {beside.join("  ")}
      </text>
    </g>
  );
}

function Axis({ h, top }: { h: HistogramAnswer; top: number }) {
  const [low, high] = [h.ends[0] ?? 1, h.ends[h.ends.length - 1] ?? 1];
  if (!(high > low)) return null;
  const x = (v: number) => LEFT + (Math.log(v / low) / Math.log(high / low)) * (WIDTH - LEFT - RIGHT);
  return (
    <g class="ridge-axis">
      {logTicks(low, high, 4).map((v) => (
        <text key={v} x={x(v)} y={top + 15} text-anchor="middle">
          {formatTick(v)}
        </text>
      ))}
    </g>
  );
}

export function Histogram({ h }: { h: HistogramAnswer }) {
  const peak = Math.max(1e-9, ...h.shares.flat());
  const height = h.steps.length * RIDGE;
  const table = () => [
    ["step", "exactly 0", ...h.ends.slice(0, -1).map((e) => `from ${e}`), h.odd_meaning],
    ...h.steps.map((step, i) => [step, h.zero[i] ?? 0, ...(h.shares[i] ?? []), h.odd[i] ?? 0]),
  ];
  const odd = h.odd.some((share) => share > 0);
  return (
    <figure class="histogram">
      <figcaption>
        <strong>{cleanText(h.title)}</strong> <Tools name={h.kind} table={table} />
        <span class="quiet">{cleanText(h.meaning)}</span>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${height + 22}`}
        role="img"
        aria-label={`${cleanText(h.meaning)}, at ${h.steps.length} steps`}
      >
        {h.steps.map((step, i) => (
          <Ridge key={step} h={h} at={i} peak={peak} />
        ))}
        <Axis h={h} top={height} />
      </svg>
      {odd && <p class="quiet">✕: {cleanText(h.odd_meaning)}</p>}
    </figure>
  );
}
