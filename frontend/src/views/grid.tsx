// The heat map itself: the rows, the canvas, what lies over it, and the step axis.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { moveCursor, onCursor } from "../draw/cursor";
import { paint } from "../draw/heatmap";
import type { HeatmapAnswer, OverviewAnswer } from "../lib/api";
import { bucketAt, rowAt, type Span, stepAt, ticksOf, xOf } from "../lib/buckets";
import { formatTick } from "../lib/format";
import { gutterOf, plotWidth, RIGHT, ROW, VISIBLE_ROWS } from "../lib/layout";
import { select } from "../load";
import { Marks, Readout, type Spot } from "./mapmarks";
import { type Geometry, Rows } from "./rows";
import { useWidth } from "./width";

interface GridProps {
  overview: OverviewAnswer;
  map: HeatmapAnswer;
  chosen: string;
  span: Span;
  dark: boolean;
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

function Plot({ overview, map, chosen, span, dark, geometry }: GridProps & { geometry: Geometry }) {
  const { gutter, width, height, scroll } = geometry;
  const canvas = useRef<HTMLCanvasElement>(null);
  const [spot, setSpot] = useState<Spot | null>(null);

  useLayoutEffect(() => {
    if (canvas.current) paint(canvas.current, map, { width, height, scroll, span, dark });
  }, [map, width, height, scroll, span.from, span.to, dark]);

  const onMove = (event: PointerEvent) => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const at = stepAt(x, span, width);
    setSpot({ column: bucketAt(at, map.first), x, y });
    moveCursor(at, "map");
  };
  const onLeave = () => {
    setSpot(null);
    moveCursor(null, "map");
  };
  const row = spot ? rowAt(spot.y + scroll, ROW, map.names.length) : -1; // the rows may scroll under the pointer
  return (
    <div
      class="map-plot"
      aria-hidden="true"
      style={{ left: `${gutter}px`, right: `${RIGHT}px`, height: `${height}px` }}
      onPointerMove={onMove}
      onPointerLeave={onLeave}
      onWheel={onWheel}
      onClick={() => row >= 0 && select({ variable: map.names[row] ?? "" })}
    >
      <canvas ref={canvas} style={{ width: `${width}px`, height: `${height}px` }} />
      <Marks
        overview={overview}
        map={map}
        span={span}
        width={width}
        scroll={scroll}
        active={map.names.indexOf(chosen)}
      />
      <CursorLine span={span} width={width} />
      {spot && row >= 0 && <Readout map={map} row={row} spot={spot} width={width} />}
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
          <Rows map={map} chosen={chosen} geometry={geometry} onScroll={setScroll} />
          <Plot {...props} geometry={geometry} />
          <Ticks span={span} width={geometry.width} gutter={geometry.gutter} />
        </>
      )}
    </div>
  );
}
