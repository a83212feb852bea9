// The legend of the heat map: its colour scale, and the hatchings and marks that it contains.
import { useMemo } from "preact/hooks";
import type { HeatmapAnswer, VerdictAnswer } from "../lib/api";
import { KIND_TEXT, kindsIn, SPECIAL_KINDS, valueAt } from "../lib/cells";
import { formatNumber, formatShare } from "../lib/format";
import { gapsOf } from "../lib/slots";
import { ColourBar } from "./colour-bar";
import { Swatch } from "./swatch";

const SCALE_TEXT = { log: "log scale", linear: "linear scale", share: "share" };

function ColourScale({ heatmap }: { heatmap: HeatmapAnswer }) {
  const { scale } = heatmap.quantity;
  const domain = scale === "share" ? ([0, 1] as const) : heatmap.domain;
  if (!domain) return null;
  const format = scale === "share" ? formatShare : formatNumber;
  return (
    <span class="heatmap-scale">
      <ColourBar />
      <span class="heatmap-scale-values">
        {[0, 0.5, 1].map((t) => (
          <span key={t}>{format(valueAt(t, domain, scale))}</span>
        ))}
      </span>
    </span>
  );
}

export function HeatmapLegend({ verdicts, heatmap }: { verdicts: VerdictAnswer[]; heatmap: HeatmapAnswer }) {
  const { scale, unit } = heatmap.quantity;
  const { kinds, hasNegative } = useMemo(() => kindsIn(heatmap.high, scale), [heatmap.high, scale]);
  const hasGaps = useMemo(() => gapsOf(heatmap).length > 0, [heatmap]);
  return (
    <div class="heatmap-legend">
      <ColourScale heatmap={heatmap} />
      <span class="quiet">
        {SCALE_TEXT[scale]}
        {unit && scale !== "share" && `, ${unit}`}
      </span>
      {SPECIAL_KINDS.filter((kind) => kinds.has(kind) || (kind === "gap" && hasGaps)).map((kind) => (
        <span class="heatmap-legend-entry" key={kind}>
          <Swatch kind={kind} /> {kind === "zero" && !hasNegative ? "exactly 0" : KIND_TEXT[kind]}
        </span>
      ))}
      {verdicts.map((v) => (
        <span class="heatmap-legend-entry" key={`${v.code}-${v.first_step}`}>
          <span class="heatmap-legend-code">{v.code}</span> {v.name}
        </span>
      ))}
    </div>
  );
}
