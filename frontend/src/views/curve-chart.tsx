// One curve: its name, its values at the step under the pointer, and its chart.
import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { moveCursor, onCursor } from "../draw/cursor";
import { type CurveInput, type CurvePlot, makePlot } from "../draw/curve-plot";
import { type Span, stepAt } from "../lib/buckets";
import { cleanText, formatRange, formatValue } from "../lib/format";
import { gutterWidth, plotWidth } from "../lib/layout";
import { lastSlot, type Slot, stepNear } from "../lib/slots";
import { ExplainButton } from "./explain-button";
import { useCursorSlot } from "./use-cursor-slot";

const AXIS_LABELS = 62; // pixels of the gutter that the labels of the value axis need
const REACH = 3; // CSS pixels beside a bucket at which the pointer still reads it

/** Moves the chart's step axis: now if the chart is visible, else when it becomes visible. */
function useFollow(
  root: RefObject<HTMLElement | null>,
  chart: RefObject<CurvePlot | null>,
  span: Span,
): void {
  const pending = useRef<Span | null>(null);
  const visible = useRef(true);
  useLayoutEffect(() => {
    if (visible.current) chart.current?.follow(span);
    else pending.current = span;
  }, [span.from, span.to]);
  useEffect(() => {
    if (!root.current) return;
    const observer = new IntersectionObserver((entries) => {
      visible.current = entries.some((entry) => entry.isIntersecting);
      if (visible.current && pending.current) chart.current?.follow(pending.current);
      if (visible.current) pending.current = null;
    });
    observer.observe(root.current);
    return () => observer.disconnect();
  }, []);
}

/** Makes the chart, and makes it again when anything but the span changes. */
function useChart(input: CurveInput) {
  const root = useRef<HTMLDivElement>(null);
  const chart = useRef<CurvePlot | null>(null);
  const { curve, steps, span, width, dark, axis, compared } = input;
  useLayoutEffect(() => {
    if (!root.current) return;
    const made = makePlot(root.current, input);
    chart.current = made;
    return () => {
      chart.current = null;
      made.plot.destroy();
    };
  }, [curve, steps, width, dark, axis, compared]);
  useFollow(root, chart, span);
  return { root, chart };
}

/** Tells all charts the step under the pointer. */
function onPointerMove(event: PointerEvent, input: CurveInput): void {
  const { span } = input;
  const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
  const width = plotWidth(input.width);
  const x = event.clientX - box.left - gutterWidth(input.width);
  const reach = (REACH / width) * (span.to - span.from + 1);
  const isInside = x >= 0 && x <= width;
  moveCursor(isInside ? stepNear(stepAt(x, span, width), input, reach) : null);
}

/** The values at the step under the pointer, else the last ones. */
function Values({ input, slot }: { input: CurveInput; slot: Slot | null }) {
  const { curve } = input;
  const shown = slot ?? lastSlot(input);
  const at = shown?.bucket ?? -1;
  const [low, high, last] = [curve.low[at], curve.high[at], curve.last[at]];
  return (
    <>
      <span class="curve-value">
        {shown?.recorded === null ? "no data" : formatValue(last, curve.quantity)}
      </span>
      {low !== high && <span class="quiet">{formatRange(low, high, curve.quantity)}</span>}
      {curve.usual && <span class="quiet curve-usual">{cleanText(curve.usual.text)}</span>}
    </>
  );
}

export function CurveChart(input: CurveInput) {
  const { root, chart } = useChart(input);
  const slot = useCursorSlot(input);
  useEffect(() => onCursor((step) => chart.current?.point(step)), []);
  const { quantity, last } = input.curve;
  const title = cleanText(quantity.title);
  return (
    <div
      class="curve-chart"
      onPointerMove={(event) => onPointerMove(event, input)}
      onPointerLeave={() => moveCursor(null)}
    >
      <div
        class="curve-title"
        style={{ "--curve-title-width": `${gutterWidth(input.width) - AXIS_LABELS}px` }}
        title={cleanText(quantity.meaning)}
      >
        <span class="curve-name">
          {title} <ExplainButton small quantity={quantity.name} name={title} />
        </span>
        <Values input={input} slot={slot} />
      </div>
      <div
        ref={root}
        role="img"
        aria-label={`${title}: ${formatValue(last[input.steps.length - 1], quantity)} at the last recorded step`}
      />
    </div>
  );
}
