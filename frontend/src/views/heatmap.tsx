// Layers by steps: every variable of the model in one picture, on the same x axis as the curves around it.
import { useMemo, useState } from "preact/hooks";
import type { HeatmapAnswer, OverviewAnswer } from "../lib/api";
import { moved, type Span } from "../lib/buckets";
import { mapTable } from "../lib/csv";
import { mapQuantities } from "../lib/defaults";
import { cleanText } from "../lib/format";
import { arrange, ORDERS, orderOf } from "../lib/row-arrangement";
import type { Selection } from "../lib/url";
import { select } from "../load";
import { Tools } from "./export-buttons";
import { Grid } from "./heatmap-grid";
import { Legend } from "./heatmap-legend";

interface Props {
  overview: OverviewAnswer;
  map: HeatmapAnswer | null;
  shown: Selection;
  span: Span;
  whole: Span;
  dark: boolean;
}

export function zoomTo(span: Span, whole: Span): void {
  const all = span.from <= whole.from && span.to >= whole.to;
  select(
    all ? { from: "", to: "" } : { from: String(Math.round(span.from)), to: String(Math.round(span.to)) },
  );
}

function Zoom({ span, whole }: { span: Span; whole: Span }) {
  const all = span.from <= whole.from && span.to >= whole.to;
  const go = (by: number, wider: number) => zoomTo(moved(span, whole, by, wider), whole);
  const buttons = [
    ["◀", "Earlier steps", () => go(-0.5, 1), all],
    ["▶", "Later steps", () => go(0.5, 1), all],
    ["+", "Zoom in", () => go(0, 0.5), span.to - span.from < 4],
    ["−", "Zoom out", () => go(0, 2), all],
    ["Whole run", "Show the whole run", () => select({ from: "", to: "" }), all],
  ] as const;
  return (
    // biome-ignore lint/a11y/useSemanticElements: no form field
    <span class="tools" role="group" aria-label="Steps shown">
      {buttons.map(([text, label, act, off]) => (
        <button
          key={text}
          type="button"
          class="tool"
          aria-label={label}
          title={label}
          onClick={act}
          disabled={off}
        >
          {text}
        </button>
      ))}
    </span>
  );
}

function Choices({ overview, shown }: Pick<Props, "overview" | "shown">) {
  const quantities = mapQuantities(overview);
  return (
    <>
      <label>
        <span class="quiet">shows</span>
        <select
          class="quantity"
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
      <label>
        <span class="quiet">rows</span>
        <select
          class="order"
          value={orderOf(shown.order)}
          onChange={(event) => select({ order: event.currentTarget.value })}
        >
          {Object.entries(ORDERS).map(([key, text]) => (
            <option key={key} value={key}>
              {text}
            </option>
          ))}
        </select>
      </label>
    </>
  );
}

export function HeatMap({ overview, map, shown, span, whole, dark }: Props) {
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const arranged = useMemo(
    () => (map ? arrange(map, orderOf(shown.order), opened) : null),
    [map, shown.order, opened],
  );
  const quantity = mapQuantities(overview).find((q) => q.name === shown.quantity);
  const toggle = (block: string) => {
    const now = new Set(opened);
    if (!now.delete(block)) now.add(block);
    setOpened(now);
  };
  if (mapQuantities(overview).length === 0) return null;
  return (
    <section aria-labelledby="map-title">
      <div class="section-head">
        <h2 id="map-title">Layers × steps</h2>
        <Choices overview={overview} shown={shown} />
        <span class="quiet grow">{cleanText(quantity?.meaning ?? "")}</span>
        <Zoom span={span} whole={whole} />
        {map && <Tools name={`${overview.run} ${map.quantity.name}`} table={() => mapTable(map)} />}
      </div>
      {arranged && arranged.names.length > 0 && arranged.first.length > 0 ? (
        <>
          <Grid
            overview={overview}
            map={arranged}
            chosen={shown.variable}
            span={span}
            whole={whole}
            dark={dark}
            onBlock={toggle}
          />
          <Legend overview={overview} map={arranged} dark={dark} />
        </>
      ) : (
        <p class="quiet">{map ? "Nothing of this was recorded in these steps." : "Reading …"}</p>
      )}
    </section>
  );
}
