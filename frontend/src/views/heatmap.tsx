// Layers by steps: every variable of the model in one picture, on the same x axis as the curves below it.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { moveCursor, onCursor } from "../draw/cursor";
import { paint } from "../draw/heatmap";
import type { HeatmapAnswer, OverviewAnswer } from "../lib/api";
import { bucketAt, rowAt, type Span, stepAt, ticksOf, xOf } from "../lib/buckets";
import { mapQuantities, step } from "../lib/choose";
import { cleanName, cleanText, ellipsis, formatTick } from "../lib/format";
import { gutterOf, plotWidth, RIGHT, ROW, VISIBLE_ROWS } from "../lib/layout";
import type { Selection } from "../lib/url";
import { select } from "../load";
import { Legend } from "./legend";
import { Marks, Readout } from "./mapmarks";
import { useWidth } from "./width";

interface Props {
  overview: OverviewAnswer;
  map: HeatmapAnswer | null;
  shown: Selection;
  span: Span;
  dark: boolean;
}

export interface Spot {
  row: number;
  column: number;
  x: number; // in the plot
  y: number; // in the visible part
}

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
        <div
          key={from + i}
          id={`row-${from + i}`}
          role="option"
          tabIndex={-1}
          aria-selected={name === chosen}
          aria-setsize={map.names.length}
          aria-posinset={from + i + 1}
          class="row-label"
          style={{ top: `${(from + i) * ROW}px`, height: `${ROW}px`, width: `${gutter}px` }}
          title={cleanName(name)}
          onClick={() => select({ variable: name })}
          onKeyDown={undefined}
        >
          {ellipsis(cleanName(name), gutter > 150 ? 28 : 14)}
        </div>
      ))}
    </>
  );
}

function Ticks({ span, width, gutter }: { span: Span; width: number; gutter: number }) {
  return (
    <div class="map-ticks" style={{ marginLeft: `${gutter}px`, width: `${width}px` }} aria-hidden="true">
      {ticksOf(span, width / 110).map((tick) => (
        <span key={tick} style={{ left: `${xOf(tick, span, width)}px` }}>
          {formatTick(tick)}
        </span>
      ))}
    </div>
  );
}

function Grid({ overview, map, shown, span, dark }: Props & { map: HeatmapAnswer }) {
  const { ref, width: outer } = useWidth<HTMLDivElement>();
  const canvas = useRef<HTMLCanvasElement>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const line = useRef<HTMLDivElement>(null);
  const [scroll, setScroll] = useState(0);
  const [spot, setSpot] = useState<Spot | null>(null);
  const gutter = gutterOf(outer);
  const width = plotWidth(outer);
  const rows = map.names.length;
  const height = Math.min(rows, VISIBLE_ROWS) * ROW;

  useLayoutEffect(() => {
    if (canvas.current && outer > 0) paint(canvas.current, map, { width, height, scroll, span, dark });
  }, [map, width, height, scroll, span.from, span.to, dark, outer]);

  useEffect(
    () =>
      onCursor((at) => {
        if (!line.current) return;
        line.current.style.display = at === null ? "none" : "block";
        if (at !== null) line.current.style.transform = `translateX(${xOf(at, span, width)}px)`;
      }),
    [span.from, span.to, width],
  );

  const onMove = (event: PointerEvent) => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const at = stepAt(x, span, width);
    const row = rowAt(y + scroll, ROW, rows);
    setSpot(row < 0 ? null : { row, column: bucketAt(at, map.first), x, y });
    moveCursor(at, "map");
  };
  const onLeave = () => {
    setSpot(null);
    moveCursor(null, "map");
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -rows, End: rows }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const next = step(map.names, shown.variable, by);
    select({ variable: next });
    const top = map.names.indexOf(next) * ROW;
    const box = scroller.current;
    if (box && top < box.scrollTop) box.scrollTop = top;
    if (box && top + ROW > box.scrollTop + height) box.scrollTop = top + ROW - height;
  };
  const from = Math.max(0, Math.floor(scroll / ROW) - 2);
  const to = Math.min(rows, Math.ceil((scroll + height) / ROW) + 2);
  const active = map.names.indexOf(shown.variable);
  return (
    <div class="map" ref={ref}>
      <div
        class="map-scroll"
        ref={scroller}
        style={{ height: `${height}px` }}
        role="listbox"
        tabIndex={0}
        aria-label={`${cleanText(map.quantity.title)}: rows from input to output`}
        aria-activedescendant={active >= from && active < to ? `row-${active}` : undefined}
        onScroll={(event) => setScroll(event.currentTarget.scrollTop)}
        onKeyDown={onKeyDown}
      >
        <div class="map-inner" role="presentation" style={{ height: `${rows * ROW}px` }}>
          <Labels map={map} chosen={shown.variable} from={from} to={to} gutter={gutter} />
        </div>
      </div>
      <div
        class="map-plot"
        aria-hidden="true"
        style={{ left: `${gutter}px`, right: `${RIGHT}px`, height: `${height}px` }}
        onPointerMove={onMove}
        onPointerLeave={onLeave}
        onWheel={(event) => scroller.current?.scrollBy({ top: event.deltaY })}
        onClick={() => spot && select({ variable: map.names[spot.row] ?? "" })}
      >
        <canvas ref={canvas} style={{ width: `${width}px`, height: `${height}px` }} />
        <Marks overview={overview} map={map} span={span} width={width} scroll={scroll} active={active} />
        <div class="map-cursor" ref={line} />
        {spot && <Readout map={map} spot={spot} width={width} />}
      </div>
      <Ticks span={span} width={width} gutter={gutter} />
    </div>
  );
}

export function HeatMap(props: Props) {
  const { overview, map, shown } = props;
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
          <Grid {...props} map={map} />
          <Legend map={map} dark={props.dark} />
        </>
      ) : (
        <p class="quiet">{map ? "Nothing of this was recorded." : "Reading …"}</p>
      )}
    </section>
  );
}
