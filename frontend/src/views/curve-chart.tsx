// One curve: its name, its values at the step under the pointer, and its chart.
import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type uPlot from "uplot";
import { moveCursor, onCursor } from "../draw/cursor";
import { type CurveInput, type CurvePlot, makePlot } from "../draw/curve-plot";
import type { Span } from "../lib/buckets";
import { cleanText, formatCount, formatRange, formatValue } from "../lib/format";
import { gutterWidth } from "../lib/layout";
import { ExplainButton } from "./explain-button";

const AXIS_LABELS = 62; // pixels of the gutter that the labels of the value axis need

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
function useChart(input: CurveInput, onIndex: (index: number | null) => void) {
  const root = useRef<HTMLDivElement>(null);
  const chart = useRef<CurvePlot | null>(null);
  const { curve, steps, span, width, dark, axis, compared } = input;
  useLayoutEffect(() => {
    if (!root.current) return;
    const made = makePlot(root.current, input, onIndex);
    chart.current = made;
    return () => {
      chart.current = null;
      made.plot.destroy();
    };
  }, [curve, steps, width, dark, axis, compared]);
  useFollow(root, chart, span);
  return { root, chart };
}

/** Shows the step under the pointer on the heat map. uPlot itself shows it on the other curves. */
function onPointerMove(plot: uPlot | undefined, event: PointerEvent): void {
  if (!plot) return;
  const box = plot.over.getBoundingClientRect();
  const left = event.clientX - box.left;
  moveCursor(left >= 0 && left <= box.width ? plot.posToVal(left, "x") : null, "curve");
}

function Values({ input, index }: { input: CurveInput; index: number | null }) {
  const { curve, steps } = input;
  const at = index ?? steps.length - 1;
  const [low, high, last] = [curve.low[at], curve.high[at], curve.last[at]];
  return (
    <>
      <span class="curve-value">{formatValue(last, curve.quantity)}</span>
      {low !== high && <span class="quiet">{formatRange(low, high, curve.quantity)}</span>}
      {curve.usual && <span class="quiet curve-usual">{cleanText(curve.usual.text)}</span>}
      {index !== null && <span class="quiet">step {formatCount(steps[at] ?? 0)}</span>}
    </>
  );
}

export function CurveChart(input: CurveInput) {
  const [index, setIndex] = useState<number | null>(null);
  const { root, chart } = useChart(input, setIndex);
  const { quantity, last } = input.curve;
  const title = cleanText(quantity.title);
  useEffect(
    () =>
      onCursor((step, source) => {
        const plot = chart.current?.plot;
        if (source !== "heatmap" || !plot) return;
        plot.setCursor(step === null ? { left: -10, top: -10 } : { left: plot.valToPos(step, "x"), top: 10 });
      }),
    [],
  );
  return (
    <div
      class="curve-chart"
      onPointerMove={(event) => onPointerMove(chart.current?.plot, event)}
      onPointerLeave={() => moveCursor(null, "curve")}
    >
      <div
        class="curve-title"
        style={{ "--curve-title-width": `${gutterWidth(input.width) - AXIS_LABELS}px` }}
        title={cleanText(quantity.meaning)}
      >
        <span class="curve-name">
          {title} <ExplainButton small quantity={quantity.name} name={title} />
        </span>
        <Values input={input} index={index} />
      </div>
      <div
        ref={root}
        role="img"
        aria-label={`${title}: ${formatValue(last[input.steps.length - 1], quantity)} at the last recorded step`}
      />
    </div>
  );
}
