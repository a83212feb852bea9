// The curves of the run, or of the chosen variable, one below the other under one cursor.

import type { RefObject } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type uPlot from "uplot";
import { moveCursor, onCursor } from "../draw/cursor";
import { type Made, makePlot, type PlotInput } from "../draw/curve-plot";
import type { CurvesAnswer } from "../lib/api";
import type { Span } from "../lib/buckets";
import { curvesTable } from "../lib/csv";
import { cleanName, cleanText, formatCount, formatRange, formatValue, plural } from "../lib/format";
import { gutterOf } from "../lib/layout";
import { Tools } from "./export-buttons";
import { useWidth } from "./use-width";

/** Moves the chart's axis: at once if the chart is in sight, else when it comes into sight. */
function useFollow(
  root: RefObject<HTMLElement | null>,
  follow: RefObject<Made["follow"] | null>,
  span: Span,
): void {
  const late = useRef<Span | null>(null);
  const seen = useRef(true);
  useLayoutEffect(() => {
    if (seen.current) follow.current?.(span);
    else late.current = span;
  }, [span.from, span.to]);
  useEffect(() => {
    if (!root.current) return;
    const observer = new IntersectionObserver((entries) => {
      seen.current = entries.some((entry) => entry.isIntersecting);
      if (seen.current && late.current) follow.current?.(late.current);
      if (seen.current) late.current = null;
    });
    observer.observe(root.current);
    return () => observer.disconnect();
  }, []);
}

function Plot(input: PlotInput) {
  const root = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const follow = useRef<Made["follow"] | null>(null);
  const [index, setIndex] = useState<number | null>(null);
  const { curve, steps, span, width, dark, axis } = input;
  const { name, scale, title, meaning } = curve.quantity;

  useLayoutEffect(() => {
    if (!root.current) return;
    const made = makePlot(root.current, input, setIndex);
    plot.current = made.plot;
    follow.current = made.follow;
    return () => {
      plot.current = null;
      follow.current = null;
      made.plot.destroy();
    };
  }, [curve, steps, width, dark, axis, name, scale, input.others]);

  useFollow(root, follow, span);

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
        {curve.usual && <span class="quiet usual">{cleanText(curve.usual.text)}</span>}
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
  part: "lead" | "rest" | "all"; // "all": those to look at first, the others on request
  others?: CurvesAnswer[]; // of runs that are compared
  span: Span;
  dark: boolean;
}

/** The curves of the same quantity of the runs that are compared. */
function sameOf(others: CurvesAnswer[], name: string): PlotInput["others"] {
  return others.flatMap(({ steps, curves }) => {
    const curve = curves.find((c) => c.quantity.name === name);
    return curve ? [{ steps, curve }] : [];
  });
}

const NOBODY: CurvesAnswer[] = [];

export function Curves({ title, answer, part, others = NOBODY, span, dark }: Props) {
  const { ref, width } = useWidth<HTMLDivElement>();
  const [all, setAll] = useState(false);
  const { steps } = answer;
  const lead = answer.curves.filter((c) => c.lead);
  const rest = answer.curves.filter((c) => !c.lead);
  const first = part === "rest" ? [] : lead;
  const more = part === "lead" ? [] : rest;
  const shown = [...first, ...(all || first.length === 0 ? more : [])];
  const compared = useMemo(
    () => new Map(answer.curves.map((c) => [c.quantity.name, sameOf(others, c.quantity.name)])),
    [answer, others],
  );
  if (part === "rest" && rest.length === 0) return null;
  return (
    <section class="curves">
      <div class="section-head">
        <h2 class="grow">
          {title} {answer.name !== "" && <span class="variable-name">{cleanName(answer.name)}</span>}
        </h2>
        <Tools name={answer.name || title} table={() => curvesTable({ ...answer, curves: shown })} />
      </div>
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
              others={compared.get(curve.quantity.name) ?? []}
            />
          ))}
      </div>
      {shown.length === 0 && <p class="quiet">Nothing of this was recorded.</p>}
      {first.length > 0 && more.length > 0 && (
        <button type="button" class="plain" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? "Show fewer" : `Show ${plural(more.length, "more curve")}`}
        </button>
      )}
    </section>
  );
}
