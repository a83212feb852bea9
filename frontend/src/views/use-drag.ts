// Dragging on a plot: the dragged range becomes the step axis.
import { useState } from "preact/hooks";
import { zoomTo } from "../actions";
import { type Span, stepAt } from "../lib/buckets";

const MAX_CLICK = 4; // pixels that the pointer may move during a click

function xIn(event: PointerEvent): number {
  return event.clientX - (event.currentTarget as HTMLElement).getBoundingClientRect().left;
}

/** `drag`: the range in pixels while the pointer drags, else null. */
export function useDrag(span: Span, whole: Span, width: number, onClick: () => void) {
  const [ends, setEnds] = useState<[start: number, now: number] | null>(null);
  const range = ends && { left: Math.min(...ends), right: Math.max(...ends) };
  const onPointerDown = (event: PointerEvent) => {
    if (event.button !== 0) return;
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    setEnds([xIn(event), xIn(event)]);
  };
  const onDragMove = (event: PointerEvent) => {
    if (ends) setEnds([ends[0], xIn(event)]);
  };
  const onPointerUp = (event: PointerEvent) => {
    if (!ends) return;
    const [left, right] = [ends[0], xIn(event)].sort((a, b) => a - b) as [number, number];
    setEnds(null);
    if (right - left <= MAX_CLICK) return onClick();
    const [from, to] = [left, right].map((x) => Math.round(stepAt(x, span, width))) as [number, number];
    zoomTo({ from, to: Math.max(to, from + 1) }, whole);
  };
  return {
    drag: range && range.right - range.left > MAX_CLICK ? range : null,
    onPointerDown,
    onDragMove,
    onPointerUp,
  };
}
