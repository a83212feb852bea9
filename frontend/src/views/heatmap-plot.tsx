// The canvas of a heat map, and its reactions to the pointer.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { select, zoomTo } from "../actions";
import { moveCursor, onCursor } from "../draw/cursor";
import { paintHeatmap } from "../draw/heatmap";
import type { VerdictAnswer } from "../lib/api";
import { moved, rowAt, type Span, stepAt, xOf } from "../lib/buckets";
import { type Geometry, RIGHT_MARGIN, ROW_HEIGHT } from "../lib/layout";
import { type ArrangedHeatmap, rowsOf } from "../lib/row-arrangement";
import { slotAt, stepNear } from "../lib/slots";
import { useSelector } from "../state";
import { HeatmapReadout, type PointerPosition, VerdictMarks } from "./heatmap-overlay";
import type { Axis } from "./use-axis";
import { useDrag } from "./use-drag";

interface Props extends Axis {
  verdicts: VerdictAnswer[];
  heatmap: ArrangedHeatmap;
  allNames: readonly string[]; // of its rows, and of those that the search hides
  chosen: string; // variable
  geometry: Geometry;
  onToggleBlock: (block: string) => void;
}

/** The line at the step under the pointer, here or in a curve. It moves without a redraw. */
function CursorLine({ span, width }: { span: Span; width: number }) {
  const line = useRef<HTMLDivElement>(null);
  useEffect(
    () =>
      onCursor((step) => {
        if (!line.current) return;
        line.current.style.display = step === null ? "none" : "block";
        if (step !== null) line.current.style.transform = `translateX(${xOf(step, span, width)}px)`;
      }),
    [span.from, span.to, width],
  );
  return <div class="heatmap-cursor" ref={line} />;
}

function Canvas({ heatmap, span, geometry }: Pick<Props, "heatmap" | "span" | "geometry">) {
  const { width, height, scroll } = geometry;
  const canvas = useRef<HTMLCanvasElement>(null);
  const dark = useSelector((s) => s.dark);
  useLayoutEffect(() => {
    if (canvas.current) paintHeatmap(canvas.current, heatmap, { width, height, scroll, span, dark });
  }, [heatmap, width, height, scroll, span.from, span.to, dark]);
  return <canvas ref={canvas} style={{ width: `${width}px`, height: `${height}px` }} />;
}

const REACH = 3; // CSS pixels beside a bucket at which the pointer still reads it

/** The position of the pointer, and the slot of the step under it, which the curves follow. */
function usePointer({ heatmap, span, geometry }: Pick<Props, "heatmap" | "span" | "geometry">) {
  const [pointer, setPointer] = useState<PointerPosition | null>(null);
  const onPointerMove = (event: PointerEvent) => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const reach = (REACH / geometry.width) * (span.to - span.from + 1);
    const step = stepNear(stepAt(x, span, geometry.width), heatmap, reach);
    setPointer({ step, x, y });
    moveCursor(step);
  };
  const onPointerLeave = () => {
    setPointer(null);
    moveCursor(null);
  };
  return { pointer, onPointerMove, onPointerLeave };
}

/** Sideways turns of the wheel move the axis; others scroll the rows, and at their end the page. */
function onWheel(event: WheelEvent, { span, whole, geometry }: Props): void {
  const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
  if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) {
    event.preventDefault();
    zoomTo(moved(span, whole, sideways / geometry.width), whole, "wheel");
    return;
  }
  const rows = (event.currentTarget as HTMLElement).previousElementSibling;
  if (!rows) return;
  const before = rows.scrollTop;
  rows.scrollTop += event.deltaY;
  if (rows.scrollTop !== before) event.preventDefault();
}

/** After a click the arrow keys move from row to row, instead of scrolling the page. */
function focusRows(event: MouseEvent): void {
  const rows = (event.currentTarget as HTMLElement).previousElementSibling as HTMLElement | null;
  rows?.focus({ preventScroll: true });
}

export function HeatmapPlot(props: Props) {
  const { heatmap, chosen, span, whole, geometry } = props;
  const { gutter, width, height, scroll } = geometry;
  const { pointer, onPointerMove, onPointerLeave } = usePointer(props);
  const slot = pointer && slotAt(pointer.step, heatmap);
  const row = pointer ? rowAt(pointer.y + scroll, ROW_HEIGHT, heatmap.names.length) : -1; // rows scroll below the pointer
  const onClick = () => {
    const name = heatmap.names[row];
    if (name === undefined) return;
    if (heatmap.members[row]) props.onToggleBlock(name);
    else select({ variable: name });
  };
  const { drag, onDragMove, onPointerDown, onPointerUp } = useDrag(span, whole, width, onClick);
  return (
    <div
      class="heatmap-plot"
      aria-hidden="true"
      style={{ left: `${gutter}px`, right: `${RIGHT_MARGIN}px`, height: `${height}px` }}
      onPointerMove={(event) => {
        onPointerMove(event);
        onDragMove(event);
      }}
      onPointerLeave={onPointerLeave}
      onPointerDown={onPointerDown}
      onPointerUp={onPointerUp}
      onWheel={(event) => onWheel(event, props)}
      onClick={focusRows}
      onDblClick={() => select({ steps: null })}
    >
      <Canvas heatmap={heatmap} span={span} geometry={geometry} />
      <VerdictMarks {...props} activeRow={rowsOf(heatmap, [chosen])[0] ?? -1} />
      <CursorLine span={span} width={width} />
      {drag && (
        <div class="heatmap-drag" style={{ left: `${drag.left}px`, width: `${drag.right - drag.left}px` }} />
      )}
      {pointer && slot && !drag && row >= 0 && (
        <HeatmapReadout heatmap={heatmap} row={row} slot={slot} pointer={pointer} width={width} />
      )}
    </div>
  );
}
