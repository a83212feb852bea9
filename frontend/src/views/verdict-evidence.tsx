// The variables that a verdict names and the numbers that support it, with buttons that show them on the heat map.
import { useState } from "preact/hooks";
import { showOnHeatmap } from "../actions";
import type { EvidenceAnswer, OverviewAnswer } from "../lib/api";
import { heatmapQuantities } from "../lib/defaults";
import { cleanName, cleanText, formatCount, prose, shortPath } from "../lib/format";
import { ExplainButton } from "./explain-button";

const [MAX_BUTTONS, MAX_LETTERS] = [5, 34];

export function VariableButtons({ names, overview }: { names: string[]; overview: OverviewAnswer }) {
  const [all, setAll] = useState(false);
  const rows = new Set([...overview.variables.map((v) => v.name), ...overview.layers]);
  const short = new Map(overview.variables.map((v) => [v.name, v.short]));
  const visible = all || names.length <= MAX_BUTTONS ? names : names.slice(0, MAX_BUTTONS - 1);
  return (
    <>
      {visible.map((name) => (
        <button
          type="button"
          class="verdict-variable"
          key={name}
          title={cleanName(name)}
          disabled={!rows.has(name)}
          onClick={() => showOnHeatmap({ variable: name })}
        >
          {cleanName(short.get(name) ?? shortPath(name, MAX_LETTERS))}
        </button>
      ))}
      {visible.length < names.length && (
        <button type="button" class="text-button" onClick={() => setAll(true)}>
          and {formatCount(names.length - visible.length)} more
        </button>
      )}
    </>
  );
}

export function EvidenceList({ items, overview }: { items: EvidenceAnswer[]; overview: OverviewAnswer }) {
  const titles = new Map(overview.quantities.map((q) => [q.name, cleanText(q.title)]));
  const quantities = new Set(heatmapQuantities(overview).map((q) => q.name));
  return (
    <ul class="verdict-evidence">
      {items.map((item, i) => (
        <li key={i}>
          {prose(item.text)}{" "}
          {titles.has(item.quantity) && (
            <ExplainButton small quantity={item.quantity} name={titles.get(item.quantity) ?? ""} />
          )}
          {quantities.has(item.quantity) && (
            <button
              type="button"
              class="text-button"
              onClick={() => showOnHeatmap({ quantity: item.quantity })}
            >
              show on heat map
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}
