// The rows of a heat map whose names match a filter.
import type { HeatmapAnswer } from "./api";
import { cleanName } from "./format";
import type { NameFilter } from "./name-filter";

/** The heat map with the matching rows only, on the same colour scale. If all match it is the same object. */
export function filterRows(heatmap: HeatmapAnswer, filter: NameFilter): HeatmapAnswer {
  const rows = heatmap.names.flatMap((name, row) => (filter.matches(cleanName(name)) ? [row] : []));
  if (rows.length === heatmap.names.length) return heatmap;
  const take = <T>(items: readonly T[]) => rows.map((row) => items[row] as T);
  const newRow = new Map(rows.map((row, i) => [row, i]));
  return {
    ...heatmap,
    names: take(heatmap.names),
    low: take(heatmap.low),
    high: take(heatmap.high),
    worst: heatmap.worst.flatMap((row) => newRow.get(row) ?? []),
  };
}

/** What stands in the place of a heat map without cells; "" if it has some. */
export function emptyText(heatmap: HeatmapAnswer | undefined): string {
  if (!heatmap) return "Loading …";
  if (heatmap.covered.length > 0 && heatmap.names.length > 0) return "";
  return heatmap.first.length === 0 ? "No data in this range" : "No variable or layer matches the search";
}
