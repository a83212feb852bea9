// The heat map of one quantity: a row for each variable or layer, on the same step axis as the curves.
import { useMemo, useState } from "preact/hooks";
import { select } from "../actions";
import type { OverviewAnswer } from "../lib/api";
import { heatmapTable } from "../lib/csv";
import { heatmapQuantities } from "../lib/defaults";
import { cleanText } from "../lib/format";
import { arrange, commonDomain, ROW_ORDERS, type RowOrder } from "../lib/row-arrangement";
import { emptyText, filterRows } from "../lib/row-filter";
import { stepsOf } from "../lib/slots";
import { useSelector } from "../state";
import { ExplainButton } from "./explain-button";
import { ExportButtons } from "./export-buttons";
import { HeatmapGrid } from "./heatmap-grid";
import { HeatmapLegend } from "./heatmap-legend";
import { useNameFilter } from "./name-filter";
import { useComparedRuns } from "./use-axis";
import { useScrollTarget } from "./use-scroll-target";
import { VariableFilter } from "./variable-filter";
import { ZoomButtons } from "./zoom-buttons";

interface ChoiceProps {
  label: string;
  class: string;
  value: string;
  options: (readonly [value: string, text: string])[];
  onChoose: (value: string) => void;
}

function Choice({ label, value, options, onChoose, ...style }: ChoiceProps) {
  return (
    <label>
      <span class="quiet">{label}</span>
      <select
        class={`field ${style.class}`}
        value={value}
        onChange={(event) => onChoose(event.currentTarget.value)}
      >
        {options.map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

function Choices({ overview }: { overview: OverviewAnswer }) {
  const { quantity, order } = useSelector((s) => s.shown);
  return (
    <>
      <Choice
        label="quantity"
        class="heatmap-quantity"
        value={quantity}
        options={heatmapQuantities(overview).map((q) => [q.name, cleanText(q.title)])}
        onChoose={(name) => select({ quantity: name })}
      />
      <Choice
        label="order"
        class="heatmap-order"
        value={order}
        options={Object.entries(ROW_ORDERS)}
        onChoose={(name) => select({ order: name as RowOrder })}
      />
    </>
  );
}

function Head({ overview }: { overview: OverviewAnswer }) {
  const heatmap = useSelector((s) => s.heatmap?.answer);
  const shown = useSelector((s) => s.shown.quantity);
  const quantity = heatmapQuantities(overview).find((q) => q.name === shown);
  return (
    <div class="section-head">
      <h2 id="heatmap-title">Layers × steps</h2>
      <Choices overview={overview} />
      {heatmap && <VariableFilter names={heatmap.names} />}
      <span class="quiet heatmap-meaning">{cleanText(quantity?.meaning ?? "")}</span>
      {quantity && <ExplainButton quantity={quantity.name} name={cleanText(quantity.title)} />}
      <ZoomButtons />
      {heatmap && (
        <ExportButtons
          name={heatmap.quantity.name}
          steps={stepsOf(heatmap)}
          table={() => heatmapTable(heatmap)}
        />
      )}
    </div>
  );
}

/** The heat map in the chosen order and on a common colour scale, and a function that opens and closes its blocks. */
function useArranged() {
  const heatmap = useSelector((s) => s.heatmap?.answer);
  const { order, variableFilter } = useSelector((s) => s.shown);
  const filter = useNameFilter(variableFilter);
  const compared = useComparedRuns();
  const [openBlocks, setOpenBlocks] = useState<ReadonlySet<string>>(new Set());
  const scaled = useMemo(() => {
    const heatmaps = [heatmap, ...compared.map((c) => c.heatmap)].filter((h) => h != null);
    return heatmap && { ...filterRows(heatmap, filter), domain: commonDomain(heatmaps) };
  }, [heatmap, compared, filter]);
  const arranged = useMemo(() => scaled && arrange(scaled, order, openBlocks), [scaled, order, openBlocks]);
  const toggleBlock = (block: string) => {
    const blocks = new Set(openBlocks);
    if (!blocks.delete(block)) blocks.add(block);
    setOpenBlocks(blocks);
  };
  return { arranged, allNames: heatmap?.names ?? [], toggleBlock };
}

export function Heatmap({ overview }: { overview: OverviewAnswer }) {
  const { arranged, allNames, toggleBlock } = useArranged();
  const ref = useScrollTarget<HTMLDivElement>("heatmap");
  const empty = emptyText(arranged);
  if (heatmapQuantities(overview).length === 0) return null;
  return (
    <section class="panel-section" aria-labelledby="heatmap-title">
      <Head overview={overview} />
      <div ref={ref}>
        {arranged && empty === "" && (
          <HeatmapGrid
            verdicts={overview.verdicts}
            heatmap={arranged}
            allNames={allNames}
            onToggleBlock={toggleBlock}
          />
        )}
      </div>
      {empty !== "" && <p class="quiet">{empty}</p>}
      {arranged && empty === "" && <HeatmapLegend verdicts={overview.verdicts} heatmap={arranged} />}
    </section>
  );
}
