// The heat map itself: the rows, the canvas, what lies over it, and the step axis.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { moveCursor, onCursor } from "../draw/cursor";
import { paint } from "../draw/heatmap";
import type { OverviewAnswer } from "../lib/api";
import { bucketAt, moved, rowAt, type Span, stepAt, ticksOf, xOf } from "../lib/buckets";
import { formatTick } from "../lib/format";
import { gutterOf, plotWidth, RIGHT, ROW, VISIBLE_ROWS } from "../lib/layout";
import { type Arranged, rowsFor } from "../lib/row-arrangement";
import { select } from "../load";
import { zoomTo } from "./heatmap";
import { Marks, Readout, type Spot } from "./heatmap-overlay";
import { type Geometry, Rows } from "./heatmap-rows";
import { useWidth } from "./use-width";

interface GridProps {
  overview: OverviewAnswer;
  map: Arranged;
  chosen: string;
  span: Span;
  whole: Span;
  dark: boolean;
  onBlock: (block: string) => void;
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

/** The line at the step under the pointer, here or in a curve; moved without a redraw. */
function CursorLine({ span, width }: { span: Span; width: number }) {
  const line = useRef<HTMLDivElement>(null);
  useEffect(
    () =>
      onCursor((at) => {
        if (!line.current) return;
        line.current.style.display = at === null ? "none" : "block";
        if (at !== null) line.current.style.transform = `translateX(${xOf(at, span, width)}px)`;
      }),
    [span.from, span.to, width],
  );
  return <div class="map-cursor" ref={line} />;
}

/** The rows take the wheel as long as they can scroll; then it is the page's. */
function onWheel(event: WheelEvent): void {
  const box = (event.currentTarget as HTMLElement).parentElement?.querySelector(".map-scroll");
  if (!box) return;
  const before = box.scrollTop;
  box.scrollTop += event.deltaY;
  if (box.scrollTop !== before) event.preventDefault();
}

const CLICK = 4; // pixels that a hand may tremble

/** What is dragged out becomes the axis; a click chooses a row. */
function useDrag(span: Span, whole: Span, width: number, onClick: () => void) {
  const [drag, setDrag] = useState<[from: number, to: number] | null>(null);
  const place = (event: PointerEvent) =>
    event.clientX - (event.currentTarget as HTMLElement).getBoundingClientRect().left;
  return {
    drag: drag && Math.abs(drag[1] - drag[0]) > CLICK ? drag : null,
    onPointerDown: (event: PointerEvent) => {
      if (event.button !== 0) return;
      (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
      setDrag([place(event), place(event)]);
    },
    onDrag: (event: PointerEvent) => drag && setDrag([drag[0], place(event)]),
    onPointerUp: (event: PointerEvent) => {
      if (!drag) return;
      const ends = [drag[0], place(event)].sort((a, b) => a - b) as [number, number];
      setDrag(null);
      if (ends[1] - ends[0] <= CLICK) return onClick();
      const [from, to] = ends.map((x) => Math.round(stepAt(x, span, width))) as [number, number];
      zoomTo({ from, to: Math.max(to, from + 1) }, whole);
    },
  };
}

function Plot({
  overview,
  map,
  chosen,
  span,
  whole,
  dark,
  geometry,
  onBlock,
}: GridProps & { geometry: Geometry }) {
  const { gutter, width, height, scroll } = geometry;
  const canvas = useRef<HTMLCanvasElement>(null);
  const [spot, setSpot] = useState<Spot | null>(null);
  const row = spot ? rowAt(spot.y + scroll, ROW, map.names.length) : -1; // the rows may scroll under the pointer
  const choose = () => {
    if (row < 0) return;
    if (map.members[row]) onBlock(map.names[row] ?? "");
    else select({ variable: map.names[row] ?? "" });
  };
  const { drag, onPointerDown, onDrag, onPointerUp } = useDrag(span, whole, width, choose);

  useLayoutEffect(() => {
    if (canvas.current) paint(canvas.current, map, { width, height, scroll, span, dark });
  }, [map, width, height, scroll, span.from, span.to, dark]);

  const onMove = (event: PointerEvent) => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const at = stepAt(x, span, width);
    setSpot({ column: bucketAt(at, map.first), x, y });
    moveCursor(at, "map");
    onDrag(event);
  };
  const onLeave = () => {
    setSpot(null);
    moveCursor(null, "map");
  };
  const wheel = (event: WheelEvent) => {
    const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
    if (Math.abs(sideways) <= Math.abs(event.shiftKey ? 0 : event.deltaY)) return onWheel(event);
    event.preventDefault();
    zoomTo(moved(span, whole, sideways / width), whole);
  };
  return (
    <div
      class="map-plot"
      aria-hidden="true"
      style={{ left: `${gutter}px`, right: `${RIGHT}px`, height: `${height}px` }}
      onPointerMove={onMove}
      onPointerLeave={onLeave}
      onWheel={wheel}
      onPointerDown={onPointerDown}
      onPointerUp={onPointerUp}
      onDblClick={() => select({ from: "", to: "" })}
    >
      <canvas ref={canvas} style={{ width: `${width}px`, height: `${height}px` }} />
      <Marks
        overview={overview}
        map={map}
        span={span}
        width={width}
        scroll={scroll}
        active={rowsFor(map, [chosen])[0] ?? -1}
      />
      <CursorLine span={span} width={width} />
      {drag && (
        <div
          class="map-drag"
          style={{ left: `${Math.min(...drag)}px`, width: `${Math.abs(drag[1] - drag[0])}px` }}
        />
      )}
      {spot && !drag && row >= 0 && <Readout map={map} row={row} spot={spot} width={width} />}
    </div>
  );
}

export function Grid(props: GridProps) {
  const { map, chosen, span } = props;
  const { ref, width: outer } = useWidth<HTMLDivElement>();
  const [scroll, setScroll] = useState(0);
  const geometry: Geometry = {
    gutter: gutterOf(outer),
    width: plotWidth(outer),
    height: Math.min(map.names.length, VISIBLE_ROWS) * ROW,
    scroll,
  };
  return (
    <div class="map" ref={ref}>
      {outer > 0 && (
        <>
          <Rows map={map} chosen={chosen} geometry={geometry} onScroll={setScroll} onBlock={props.onBlock} />
          <Plot {...props} geometry={geometry} />
          <Ticks span={span} width={geometry.width} gutter={geometry.gutter} />
        </>
      )}
    </div>
  );
}
