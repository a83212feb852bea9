// The curves of the run, or of the chosen variable, one below the other under one cursor.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type uPlot from "uplot";
import { moveCursor, onCursor } from "../draw/cursor";
import { makePlot, type PlotInput } from "../draw/plot";
import type { CurvesAnswer } from "../lib/api";
import type { Span } from "../lib/buckets";
import { cleanName, cleanText, formatCount, formatRange, formatValue, plural } from "../lib/format";
import { gutterOf } from "../lib/layout";
import { useWidth } from "./width";

const FIRST = 5;

function Plot(input: PlotInput) {
  const root = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [index, setIndex] = useState<number | null>(null);
  const { curve, steps, span, width, dark, axis } = input;
  const { name, scale, title, meaning } = curve.quantity;

  useLayoutEffect(() => {
    if (!root.current) return;
    const made = makePlot(root.current, input, setIndex);
    plot.current = made;
    return () => {
      plot.current = null;
      made.destroy();
    };
  }, [curve, steps, span.from, span.to, width, dark, axis, name, scale]);

  useEffect(
    () =>
      onCursor((at, source) => {
        if (source !== "map" || !plot.current) return;
        const left = at === null ? -10 : plot.current.valToPos(at, "x");
        plot.current.setCursor({ left, top: at === null ? -10 : 10 });
      }),
    [],
  );

  const at = index ?? steps.length - 1;
  const [low, high, last] = [curve.low[at], curve.high[at], curve.last[at]];
  return (
    <div
      class="plot"
      onPointerMove={(event) => tell(plot.current, event)}
      onPointerLeave={() => moveCursor(null, "plot")}
    >
      <div class="plot-title" style={{ "--room": `${gutterOf(width) - 62}px` }} title={cleanText(meaning)}>
        <span class="plot-name">{cleanText(title)}</span>
        <span class="plot-value">{formatValue(last, curve.quantity)}</span>
        {low !== high && <span class="quiet">{formatRange(low, high, curve.quantity)}</span>}
        {index !== null && <span class="quiet">step {formatCount(steps[at] ?? 0)}</span>}
      </div>
      <div
        ref={root}
        role="img"
        aria-label={`${cleanText(title)}: ${formatValue(curve.last[steps.length - 1], curve.quantity)} at the last recorded step`}
      />
    </div>
  );
}

/** Tells the heat map the step under the pointer; the other curves hear of it through uPlot. */
function tell(plot: uPlot | null, event: PointerEvent): void {
  if (!plot) return;
  const box = plot.over.getBoundingClientRect();
  const left = event.clientX - box.left;
  moveCursor(left >= 0 && left <= box.width ? plot.posToVal(left, "x") : null, "plot");
}

interface Props {
  title: string;
  answer: CurvesAnswer;
  span: Span;
  dark: boolean;
}

export function Curves({ title, answer, span, dark }: Props) {
  const { ref, width } = useWidth<HTMLDivElement>();
  const [all, setAll] = useState(false);
  const { curves, steps } = answer;
  const shown = all ? curves : curves.slice(0, FIRST);
  const hidden = curves.length - shown.length;
  return (
    <section class="curves">
      <h2>
        {title} {answer.name !== "" && <span class="variable-name">{cleanName(answer.name)}</span>}
      </h2>
      <div ref={ref}>
        {width > 0 &&
          shown.map((curve, i) => (
            <Plot
              key={curve.quantity.name}
              curve={curve}
              steps={steps}
              span={span}
              width={width}
              dark={dark}
              axis={i === shown.length - 1}
            />
          ))}
      </div>
      {curves.length === 0 && <p class="quiet">Nothing of this was recorded.</p>}
      {curves.length > FIRST && (
        <button type="button" class="plain" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? "Show fewer" : `Show ${plural(hidden, "more curve")}`}
        </button>
      )}
    </section>
  );
}
