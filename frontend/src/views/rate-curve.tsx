// How far the loss falls by learning rate: what an experiment has measured, read point by point with the arrow keys.
import { useMemo, useState } from "preact/hooks";
import type { RateCurveAnswer } from "../lib/api";
import { ratesTable } from "../lib/csv";
import { formatNumber, plural } from "../lib/format";
import { fallText, placeMarks, rangeText, rateMarks, rateRoles } from "../lib/rate-marks";
import { nearestPoint, type RatePlot, ratePlot } from "../lib/rate-scale";
import { ExportButtons } from "./export-buttons";
import { RateDrawing } from "./rate-drawing";
import { useWidth } from "./use-width";

const LANE = 17; // height of a label above the plot
const MAX_WIDTH = 760;

/** The curve as pixels, with the labels above it. */
function useDrawing(curve: RateCurveAnswer, width: number) {
  return useMemo(() => {
    const range = rangeText(curve);
    const marks = rateMarks(curve);
    const lanes = (range ? 1 : 0) + marks.length;
    const plot = ratePlot({ curve, width: Math.min(width, MAX_WIDTH), top: lanes * LANE + 4 });
    return { range, plot, marks: placeMarks(marks, plot.x, [0, plot.right]) };
  }, [curve, width]);
}

/** The point that is read first: that of the recommended rate, else of the present one. */
function firstPoint({ rates, recommended, present }: RateCurveAnswer): number {
  return Math.max(
    0,
    recommended === null ? rates.indexOf(present ?? Number.NaN) : rates.indexOf(recommended),
  );
}

const MOVES: Record<string, (index: number, last: number) => number> = {
  ArrowLeft: (index) => index - 1,
  ArrowRight: (index) => index + 1,
  Home: () => 0,
  End: (_, last) => last,
};

function usePoint(curve: RateCurveAnswer) {
  const last = curve.rates.length - 1;
  const [chosen, setChosen] = useState(() => firstPoint(curve));
  const index = Math.min(chosen, last);
  const onKeyDown = (event: KeyboardEvent) => {
    const move = MOVES[event.key];
    if (!move) return;
    event.preventDefault();
    setChosen(Math.max(0, Math.min(last, move(index, last))));
  };
  return { index, setChosen, onKeyDown };
}

function Readout({ curve, index }: { curve: RateCurveAnswer; index: number }) {
  const rate = curve.rates[index] ?? 0;
  const roles = rateRoles(rate, curve);
  return (
    <p class="rate-readout" aria-live="polite">
      Learning rate <strong>{formatNumber(rate)}</strong>: the loss{" "}
      <strong>{fallText(curve.falls[index] ?? null)}</strong>
      {curve.steps > 0 && ` in ${plural(curve.steps, "step")}`}
      {roles.length > 0 && <span class="quiet"> · {roles.join(", ")}</span>}
    </p>
  );
}

/** The same numbers for screen readers, which cannot see the drawing. */
function Values({ curve }: { curve: RateCurveAnswer }) {
  return (
    <div class="visually-hidden">
      <table>
        <caption>Fall of the loss by learning rate</caption>
        <tbody>
          {curve.rates.map((rate, i) => (
            <tr key={rate}>
              <th scope="row">{[formatNumber(rate), ...rateRoles(rate, curve)].join(", ")}</th>
              <td>{fallText(curve.falls[i] ?? null)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Over how many steps it was measured: the sentence of the experiment may tell of more. */
function titleOf({ steps }: RateCurveAnswer): string {
  return steps > 0
    ? `Fall of the loss in ${plural(steps, "step")}, by learning rate`
    : "Fall of the loss by learning rate";
}

function Caption({ curve, name }: { curve: RateCurveAnswer; name: string }) {
  return (
    <figcaption class="rate-caption">
      <strong>{titleOf(curve)}</strong> <ExportButtons name={name} table={() => ratesTable(curve)} />
    </figcaption>
  );
}

/** `name`: of the table that is exported. */
export function RateCurve({ curve, name }: { curve: RateCurveAnswer; name: string }) {
  const { ref, width } = useWidth<HTMLDivElement>();
  const { plot, marks, range } = useDrawing(curve, width);
  const { index, setChosen, onKeyDown } = usePoint(curve);
  if (curve.rates.length === 0) return null;
  const onPointer = (event: PointerEvent) => setChosen(pointUnder(event, plot));
  return (
    <figure class="rate-curve">
      <Caption curve={curve} name={name} />
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is for form fields */}
      <div
        ref={ref}
        class="rate-plot"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys read points
        tabIndex={0}
        role="group"
        aria-label="Fall of the loss by learning rate; use the left and right arrow keys to read points"
        onKeyDown={onKeyDown}
        onPointerMove={onPointer}
        onPointerDown={onPointer}
      >
        {width > 0 && <RateDrawing plot={plot} curve={curve} marks={marks} range={range} active={index} />}
      </div>
      <Readout curve={curve} index={index} />
      <Values curve={curve} />
    </figure>
  );
}

function pointUnder(event: PointerEvent, { points }: RatePlot): number {
  const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
  return nearestPoint(points, event.clientX - box.left);
}
