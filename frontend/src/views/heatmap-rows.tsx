// The names of a heat map's rows: a list box in which only the visible rows exist.
import { useId, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { select } from "../actions";
import { cleanName, cleanText, sharedStart, shortPath } from "../lib/format";
import { type Geometry, lettersInGutter, ROW_HEIGHT } from "../lib/layout";
import { type ArrangedHeatmap, rowsOf } from "../lib/row-arrangement";

const PAGE = 10; // rows
const MARGIN = 2; // rows that exist above and below the visible ones
const SCROLL_KEYS = [" ", "ArrowLeft", "ArrowRight"]; // that would scroll the page where they do nothing else
const BLOCK_LETTERS = 7; // of a block's arrow and number of members

interface Props {
  heatmap: ArrangedHeatmap;
  chosen: string; // variable
  geometry: Geometry;
  onScroll: (top: number) => void;
  onToggleBlock: (block: string) => void;
}

interface LabelsProps {
  heatmap: ArrangedHeatmap;
  active: number; // row
  first: number; // row
  end: number; // row
  gutter: number;
  id: string; // of the list box
  onPick: (row: number) => void;
}

/** The label of each row. A common beginning of all names is left out; the tooltip has the whole name. */
function labelsOf(heatmap: ArrangedHeatmap, shared: number, letters: number): (row: number) => string {
  const short = (name: string, limit: number) => shortPath(cleanName(name.slice(shared)), limit);
  return (row) => {
    const [name, members] = [heatmap.names[row] ?? "", heatmap.members[row]];
    if (!members) return short(name, letters);
    return `${heatmap.open[row] ? "▾" : "▸"} ${short(name, letters - BLOCK_LETTERS)} (${members.length})`;
  };
}

function Labels({ heatmap, active, first, end, gutter, id, onPick }: LabelsProps) {
  const { names } = heatmap;
  const shared = useMemo(() => sharedStart(names).length, [names]);
  const labelOf = labelsOf(heatmap, shared, lettersInGutter(gutter));
  return (
    <>
      {names.slice(first, end).map((name, i) => (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the list box handles the keys
        // biome-ignore lint/a11y/useFocusableInteractive: the list box has the focus (aria-activedescendant)
        <div
          key={name}
          id={`${id}-${first + i}`}
          role="option"
          aria-selected={first + i === active}
          aria-setsize={names.length}
          aria-posinset={first + i + 1}
          class="heatmap-row"
          style={{ top: `${(first + i) * ROW_HEIGHT}px`, height: `${ROW_HEIGHT}px`, width: `${gutter}px` }}
          title={cleanName(name)}
          onClick={() => onPick(first + i)}
        >
          {labelOf(first + i)}
        </div>
      ))}
    </>
  );
}

/** The active row, and a function that changes it. A block can be active, but only a variable can be chosen. */
function useActiveRow({ heatmap, chosen }: Props) {
  const [activeBlock, setActiveBlock] = useState("");
  const blockRow = heatmap.names.findIndex((name, row) => heatmap.members[row] && name === activeBlock);
  const active = blockRow >= 0 ? blockRow : (rowsOf(heatmap, [chosen])[0] ?? -1);
  const activate = (row: number, byKey = false) => {
    const name = heatmap.names[row] ?? "";
    const isBlock = Boolean(heatmap.members[row]);
    setActiveBlock(isBlock ? name : "");
    if (!isBlock) select({ variable: name }, byKey ? "keys" : null);
  };
  return { active, activate };
}

/** By how many rows a key moves; undefined for other keys. */
function rowsMoved(key: string, rows: number): number | undefined {
  const moves: Record<string, number> = {
    ArrowDown: 1,
    ArrowUp: -1,
    PageDown: PAGE,
    PageUp: -PAGE,
    Home: -rows,
    End: rows,
  };
  return moves[key];
}

/** Whether a key opens a closed block or closes an open one. */
function togglesBlock(key: string, isOpen: boolean): boolean {
  return key === "Enter" || key === " " || key === (isOpen ? "ArrowLeft" : "ArrowRight");
}

/** Scrolls a newly chosen row into view; afterwards the user may scroll it out of view. */
function useActiveInView({ chosen, geometry: { height } }: Props, active: number) {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (!box.current || active < 0) return;
    const top = active * ROW_HEIGHT;
    box.current.scrollTop = Math.max(top + ROW_HEIGHT - height, Math.min(top, box.current.scrollTop));
  }, [chosen, active, height]);
  return box;
}

export function HeatmapRows(props: Props) {
  const { heatmap, geometry, onScroll, onToggleBlock } = props;
  const { gutter, height, scroll } = geometry;
  const rows = heatmap.names.length;
  const first = Math.max(0, Math.floor(scroll / ROW_HEIGHT) - MARGIN);
  const end = Math.min(rows, Math.ceil((scroll + height) / ROW_HEIGHT) + MARGIN);
  const { active, activate } = useActiveRow(props);
  const box = useActiveInView(props, active);
  const id = useId();
  const toggle = (row: number) => onToggleBlock(heatmap.names[row] ?? "");
  const onPick = (row: number) => {
    activate(row);
    if (heatmap.members[row]) toggle(row);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return; // keys of the browser: Alt+Left goes back
    const by = rowsMoved(event.key, rows);
    if (by !== undefined || SCROLL_KEYS.includes(event.key)) event.preventDefault();
    if (by !== undefined) activate(active < 0 ? 0 : Math.min(rows - 1, Math.max(0, active + by)), true);
    else if (heatmap.members[active] && togglesBlock(event.key, heatmap.open[active] ?? false))
      toggle(active);
  };
  return (
    <div
      ref={box}
      class="heatmap-rows"
      style={{ height: `${height}px` }}
      role="listbox"
      tabIndex={0}
      aria-label={`${cleanText(heatmap.quantity.title)}: variables and layers`}
      aria-activedescendant={active >= first && active < end ? `${id}-${active}` : undefined}
      onScroll={(event) => onScroll(event.currentTarget.scrollTop)}
      onKeyDown={onKeyDown}
    >
      <div class="heatmap-rows-inner" role="presentation" style={{ height: `${rows * ROW_HEIGHT}px` }}>
        <Labels
          heatmap={heatmap}
          active={active}
          first={first}
          end={end}
          gutter={gutter}
          id={id}
          onPick={onPick}
        />
      </div>
    </div>
  );
}
