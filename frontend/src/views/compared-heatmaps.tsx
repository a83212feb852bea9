// The heat maps of runs that are compared, one above the other on one scale and one axis.
import { useMemo } from "preact/hooks";
import type { HeatmapAnswer } from "../lib/api";
import type { Span } from "../lib/buckets";
import { arrange, commonDomain, orderOf } from "../lib/row-arrangement";
import type { Selection } from "../lib/url";
import type { Other } from "../state";
import { Grid } from "./heatmap-grid";
import { labelOf } from "./run-comparison";

interface Props {
  map: HeatmapAnswer | null;
  others: Other[];
  shown: Selection;
  span: Span;
  whole: Span;
  dark: boolean;
}

const NONE: ReadonlySet<string> = new Set();

interface OtherMapProps extends Pick<Props, "shown" | "span" | "whole" | "dark"> {
  other: Other;
  map: HeatmapAnswer;
  low: number | undefined; // of the common scale
  high: number | undefined;
}

function OtherMap({ other, map, low, high, shown, ...axis }: OtherMapProps) {
  const arranged = useMemo(() => {
    const domain: [number, number] | null = low === undefined || high === undefined ? null : [low, high];
    return arrange({ ...map, domain }, orderOf(shown.order), NONE);
  }, [map, low, high, shown.order]);
  return (
    <Grid
      overview={other.overview}
      map={arranged}
      chosen={shown.variable}
      onBlock={() => undefined}
      {...axis}
    />
  );
}

/** The other runs' heat maps below the first, all on the scale of the whole. */
export function OtherMaps({ map, others, shown, span, whole, dark }: Props) {
  const drawn = others.flatMap((o) => (o.map ? [{ ...o, map: o.map }] : []));
  if (!map || drawn.length === 0) return null;
  const [low, high] = commonDomain([map, ...drawn.map((o) => o.map)]) ?? [];
  return (
    <section aria-label="Heat maps of the other runs, on one scale">
      {drawn.map((o) => (
        <div key={o.run}>
          <h3 class="map-of">{labelOf(o.run)}</h3>
          <OtherMap
            other={o}
            map={o.map}
            low={low}
            high={high}
            shown={shown}
            span={span}
            whole={whole}
            dark={dark}
          />
        </div>
      ))}
    </section>
  );
}
