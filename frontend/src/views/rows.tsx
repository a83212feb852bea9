// The rows of the heat map: a list box of names, of which only those in sight exist.
import { useLayoutEffect, useRef } from "preact/hooks";
import type { HeatmapAnswer } from "../lib/api";
import { step } from "../lib/choose";
import { cleanName, cleanText, ellipsis } from "../lib/format";
import { ROW } from "../lib/layout";
import { select } from "../load";

export interface Geometry {
  gutter: number;
  width: number; // of the plot
  height: number; // of the visible part
  scroll: number;
}

const PAGE = 10;

function Labels({
  map,
  chosen,
  from,
  to,
  gutter,
}: {
  map: HeatmapAnswer;
  chosen: string;
  from: number;
  to: number;
  gutter: number;
}) {
  return (
    <>
      {map.names.slice(from, to).map((name, i) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the list box handles the keys
        // biome-ignore lint/a11y/useFocusableInteractive: the list box holds the focus (aria-activedescendant)
        <div
          key={name}
          id={`row-${from + i}`}
          role="option"
          aria-selected={name === chosen}
          aria-setsize={map.names.length}
          aria-posinset={from + i + 1}
          class="row-label"
          style={{ top: `${(from + i) * ROW}px`, height: `${ROW}px`, width: `${gutter}px` }}
          title={cleanName(name)}
          onClick={() => select({ variable: name })}
        >
          {ellipsis(cleanName(name), gutter > 150 ? 28 : 14)}
        </div>
      ))}
    </>
  );
}

export function Rows({
  map,
  chosen,
  geometry,
  onScroll,
}: {
  map: HeatmapAnswer;
  chosen: string;
  geometry: Geometry;
  onScroll: (top: number) => void;
}) {
  const { gutter, height, scroll } = geometry;
  const rows = map.names.length;
  const from = Math.max(0, Math.floor(scroll / ROW) - 2);
  const to = Math.min(rows, Math.ceil((scroll + height) / ROW) + 2);
  const active = map.names.indexOf(chosen);
  const box = useRef<HTMLDivElement>(null);

  // A newly chosen row comes into view; what the user scrolls to after that stays.
  useLayoutEffect(() => {
    if (!box.current || active < 0) return;
    const top = active * ROW;
    box.current.scrollTop = Math.max(top + ROW - height, Math.min(top, box.current.scrollTop));
  }, [chosen, active, height]);

  const onKeyDown = (event: KeyboardEvent) => {
    const moves: Record<string, number> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: PAGE,
      PageUp: -PAGE,
      Home: -rows,
      End: rows,
    };
    const by = moves[event.key];
    if (by === undefined) return;
    event.preventDefault();
    select({ variable: step(map.names, chosen, by) });
  };
  return (
    <div
      ref={box}
      class="map-scroll"
      style={{ height: `${height}px` }}
      role="listbox"
      tabIndex={0}
      aria-label={`${cleanText(map.quantity.title)}: rows from input to output`}
      aria-activedescendant={active >= from && active < to ? `row-${active}` : undefined}
      onScroll={(event) => onScroll(event.currentTarget.scrollTop)}
      onKeyDown={onKeyDown}
    >
      <div class="map-inner" role="presentation" style={{ height: `${rows * ROW}px` }}>
        <Labels map={map} chosen={chosen} from={from} to={to} gutter={gutter} />
      </div>
    </div>
  );
}
