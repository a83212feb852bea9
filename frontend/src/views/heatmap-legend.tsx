// What the colours and hatchings of the heat map mean.
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { paintSwatch } from "../draw/heatmap";
import type { HeatmapAnswer, OverviewAnswer } from "../lib/api";
import { KIND_TEXT, kindsIn, SPECIAL, valueAt } from "../lib/cells";
import { viridisGradient } from "../lib/colour";
import { formatNumber, formatShare } from "../lib/format";

const SCALE_TEXT = { log: "log scale", linear: "linear scale", share: "share" };

function Swatch({ kind, dark }: { kind: (typeof SPECIAL)[number]; dark: boolean }) {
  const ref = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    if (ref.current) paintSwatch(ref.current, kind, dark);
  }, [kind, dark]);
  return <canvas ref={ref} class="swatch" />;
}

interface Props {
  overview: OverviewAnswer;
  map: HeatmapAnswer;
  dark: boolean;
}

/** Names what is in this picture, and nothing that is not. */
export function Legend({ overview, map, dark }: Props) {
  const { kinds, below } = useMemo(() => kindsIn(map.high, map.quantity.scale), [map]);
  const { scale, unit } = map.quantity;
  const domain = scale === "share" ? ([0, 1] as [number, number]) : map.domain;
  return (
    <div class="legend">
      {domain && (
        <span class="ramp">
          <span class="bar" style={{ background: viridisGradient() }} />
          <span class="ramp-ends">
            {[0, 0.5, 1].map((t) => (
              <span key={t}>
                {(scale === "share" ? formatShare : formatNumber)(valueAt(t, domain, scale))}
              </span>
            ))}
          </span>
        </span>
      )}
      <span class="quiet">
        {SCALE_TEXT[scale]}
        {unit && scale !== "share" && `, ${unit}`}
      </span>
      {SPECIAL.filter((kind) => kinds.has(kind)).map((kind) => (
        <span class="key" key={kind}>
          <Swatch kind={kind} dark={dark} /> {kind === "zero" && !below ? "exactly 0" : KIND_TEXT[kind]}
        </span>
      ))}
      {overview.verdicts.map((v) => (
        <span class="key" key={`${v.code}-${v.first_step}`}>
          <span class="mark-key">{v.code}</span> {v.name}
        </span>
      ))}
    </div>
  );
}
