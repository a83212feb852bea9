// The rows of the heat map: a list box of names, of which only those in sight exist.
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { step } from "../lib/defaults";
import { cleanName, cleanText, sharedStart, shortPath } from "../lib/format";
import { lettersOf, ROW } from "../lib/layout";
import { type Arranged, rowsFor } from "../lib/row-arrangement";
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
  onPick,
  from,
  to,
  gutter,
}: {
  map: Arranged;
  chosen: string;
  onPick: (row: number) => void;
  from: number;
  to: number;
  gutter: number;
}) {
  // What all rows begin with tells none of them apart; the whole name is in the tooltip and heads the curves.
  const start = useMemo(() => sharedStart(map.names), [map.names]).length;
  const short = (name: string, less = 0) => shortPath(cleanName(name.slice(start)), lettersOf(gutter) - less);
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
          onClick={() => onPick(from + i)}
        >
          {map.members[from + i]
            ? `${map.open[from + i] ? "▾" : "▸"} ${short(name, 7)} (${map.members[from + i]?.length})`
            : short(name)}
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
  onBlock,
}: {
  map: Arranged;
  chosen: string;
  geometry: Geometry;
  onScroll: (top: number) => void;
  onBlock: (block: string) => void;
}) {
  const { gutter, height, scroll } = geometry;
  const rows = map.names.length;
  const from = Math.max(0, Math.floor(scroll / ROW) - 2);
  const to = Math.min(rows, Math.ceil((scroll + height) / ROW) + 2);
  const [block, setBlock] = useState(""); // the keyboard stands on a block, which is no variable to choose
  const place = block ? map.names.findIndex((name, row) => map.members[row] && name === block) : -1;
  const active = place >= 0 ? place : (rowsFor(map, [chosen])[0] ?? -1);
  const box = useRef<HTMLDivElement>(null);

  // A newly chosen row comes into view; what the user scrolls to after that stays.
  useLayoutEffect(() => {
    if (!box.current || active < 0) return;
    const top = active * ROW;
    box.current.scrollTop = Math.max(top + ROW - height, Math.min(top, box.current.scrollTop));
  }, [chosen, active, height]);

  const goTo = (row: number) => {
    const name = map.names[row] ?? "";
    setBlock(map.members[row] ? name : "");
    if (!map.members[row]) select({ variable: name });
  };
  const onPick = (row: number) => {
    goTo(row);
    if (map.members[row]) onBlock(map.names[row] ?? "");
  };
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
    if (by === undefined) {
      if (!map.members[active] || !["Enter", " ", "ArrowRight", "ArrowLeft"].includes(event.key)) return;
      event.preventDefault();
      if ((event.key === "ArrowRight") !== map.open[active] || event.key.length < 6)
        onBlock(map.names[active] ?? "");
      return;
    }
    event.preventDefault();
    const rowsByPlace = map.names.map((_, row) => String(row));
    goTo(Number(step(rowsByPlace, String(active), by)));
  };
  return (
    <div
      ref={box}
      class="map-scroll"
      style={{ height: `${height}px` }}
      role="listbox"
      tabIndex={0}
      aria-label={`${cleanText(map.quantity.title)}: variables and layers`}
      aria-activedescendant={active >= from && active < to ? `row-${active}` : undefined}
      onScroll={(event) => onScroll(event.currentTarget.scrollTop)}
      onKeyDown={onKeyDown}
    >
      <div class="map-inner" role="presentation" style={{ height: `${rows * ROW}px` }}>
        <Labels
          map={map}
          chosen={map.names[active] ?? ""}
          onPick={onPick}
          from={from}
          to={to}
          gutter={gutter}
        />
      </div>
    </div>
  );
}
