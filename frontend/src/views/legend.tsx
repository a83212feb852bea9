// What the colours and hatchings of the heat map mean.
import { useLayoutEffect, useRef } from "preact/hooks";
import { paintSwatch } from "../draw/heatmap";
import type { HeatmapAnswer } from "../lib/api";
import { KIND_TEXT, SPECIAL, valueAt } from "../lib/cells";
import { viridisGradient } from "../lib/colour";
import { formatNumber } from "../lib/format";

const SCALE_TEXT = { log: "log scale", linear: "linear scale", share: "share, 0 to 1" };

function Swatch({ kind, dark }: { kind: (typeof SPECIAL)[number]; dark: boolean }) {
  const ref = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    if (ref.current) paintSwatch(ref.current, kind, dark);
  }, [kind, dark]);
  return <canvas ref={ref} class="swatch" />;
}

export function Legend({ map, dark }: { map: HeatmapAnswer; dark: boolean }) {
  const { scale, unit } = map.quantity;
  const domain = scale === "share" ? ([0, 1] as [number, number]) : map.domain;
  return (
    <div class="legend">
      {domain && (
        <span class="ramp">
          <span class="bar" style={{ background: viridisGradient() }} />
          <span class="ramp-ends">
            {[0, 0.5, 1].map((t) => (
              <span key={t}>{formatNumber(valueAt(t, domain, scale))}</span>
            ))}
          </span>
        </span>
      )}
      <span class="quiet">
        {SCALE_TEXT[scale]}
        {unit && `, ${unit}`}
      </span>
      {SPECIAL.filter((kind) => kind !== "zero" || scale === "log").map((kind) => (
        <span class="key" key={kind}>
          <Swatch kind={kind} dark={dark} /> {KIND_TEXT[kind]}
        </span>
      ))}
    </div>
  );
}
