// Layers by steps: every variable of the model in one picture, on the same x axis as the curves below it.
import type { HeatmapAnswer, OverviewAnswer } from "../lib/api";
import type { Span } from "../lib/buckets";
import { mapQuantities } from "../lib/choose";
import { cleanText } from "../lib/format";
import type { Selection } from "../lib/url";
import { select } from "../load";
import { Grid } from "./grid";
import { Legend } from "./legend";

interface Props {
  overview: OverviewAnswer;
  map: HeatmapAnswer | null;
  shown: Selection;
  span: Span;
  dark: boolean;
}

export function HeatMap({ overview, map, shown, span, dark }: Props) {
  const quantities = mapQuantities(overview);
  if (quantities.length === 0) return null;
  const quantity = quantities.find((q) => q.name === shown.quantity) ?? quantities[0];
  return (
    <section aria-labelledby="map-title">
      <div class="section-head">
        <h2 id="map-title">Layers × steps</h2>
        <label>
          <span class="quiet">shows</span>
          <select
            value={shown.quantity}
            onChange={(event) => select({ quantity: event.currentTarget.value })}
          >
            {quantities.map((q) => (
              <option key={q.name} value={q.name}>
                {cleanText(q.title)}
              </option>
            ))}
          </select>
        </label>
        <span class="quiet grow">{cleanText(quantity?.meaning ?? "")}</span>
      </div>
      {map && map.names.length > 0 && map.first.length > 0 ? (
        <>
          <Grid overview={overview} map={map} chosen={shown.variable} span={span} dark={dark} />
          <Legend overview={overview} map={map} dark={dark} />
        </>
      ) : (
        <p class="quiet">{map ? "Nothing of this was recorded." : "Reading …"}</p>
      )}
    </section>
  );
}
