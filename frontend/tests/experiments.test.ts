// Experiments: the learning-rate curve with its scales, labels and words, and what is said above the suspects.
import { describe, expect, test } from "vitest";
import type { OverviewAnswer, RateCurveAnswer } from "../src/lib/api";
import { ratesTable } from "../src/lib/csv";
import { sentence } from "../src/lib/format";
import { fallText, labelWidth, placeMarks, rangeText, rateMarks, rateRoles } from "../src/lib/rate-marks";
import { fallRange, linearTicks, nearestPoint, ratePlot } from "../src/lib/rate-scale";
import { suspectsIntro } from "../src/lib/verdicts";
import tested from "./payloads/overview-tested.json";

const curve = tested.experiments[0]?.curve as RateCurveAnswer;
const plotOf = (patch: Partial<RateCurveAnswer>, width = 600) =>
  ratePlot({ curve: { ...curve, ...patch }, width, top: 50 });

describe("scales", () => {
  test("decades are equally wide, and falls point upward", () => {
    const { points } = plotOf({});
    const at = (rate: number) => points.find((p) => p.rate === rate)?.x as number;
    expect(at(1e-8) - at(1e-9)).toBeCloseTo(at(1e-4) - at(1e-5), 5);
    const y = (rate: number) => points.find((p) => p.rate === rate)?.y as number;
    expect(y(1e-3)).toBeLessThan(y(1e-4));
  });
  test("a loss that rises far lies below the lower edge, and one that is not finite in a strip of its own", () => {
    const plot = plotOf({});
    const kinds = plot.points.map((p) => p.kind);
    expect(kinds.slice(-2)).toEqual(["below", "nonfinite"]);
    expect(plot.edge).toBe(-0.2);
    expect(plot.points.at(-2)?.y).toBeLessThan(plot.bottom);
    expect(plot.points.at(-1)?.y).toBeGreaterThan(plot.bottom);
    expect(plotOf({ rates: [1, 2], falls: [0.1, 0.2] }).strip).toBe(0);
  });
  test("where the loss falls with no rate, moderate rises stay on the axis", () => {
    expect(fallRange([-0.5, -1e6, 0])).toEqual([-1, 0.2]);
    expect(fallRange(["NaN", "NaN"])).toEqual([0, 0.01]);
    expect(fallRange([1e-12])).toEqual([0, 0.01]);
  });
  test("a rate of 0 has a place left of all others; one rate alone has one, too", () => {
    const { points, xTicks } = plotOf({ rates: [0, 1e-3, 1e-2], falls: [0, 0.1, 0.2], present: 0 });
    expect(points[1]?.x).toBeGreaterThan((points[0]?.x as number) + 30);
    expect(xTicks[0]).toEqual({ value: 0, at: points[0]?.x });
    const alone = { rates: [1e-3], falls: [0.1], present: 1e-3, recommended: null, low: null, high: null };
    expect(plotOf(alone).points.every((p) => Number.isFinite(p.x) && Number.isFinite(p.y))).toBe(true);
    const none = plotOf({ ...alone, rates: [0], present: 0 });
    expect(none.points.every((p) => Number.isFinite(p.x))).toBe(true);
  });
  test.each([240, 296, 400, 760])("no two labels of an axis overlap, %i pixels wide", (width) => {
    const { xTicks, yTicks, edge, y } = plotOf({}, width);
    for (const [i, tick] of xTicks.slice(1).entries())
      expect(tick.at - (xTicks[i]?.at as number)).toBeGreaterThan(labelWidth("1e-10"));
    for (const [i, tick] of yTicks.slice(1).entries())
      expect((yTicks[i]?.at as number) - tick.at).toBeGreaterThan(12);
    expect(y(edge as number) - (yTicks[0]?.at as number)).toBeGreaterThan(12);
  });
  test("ticks are round, at any size", () => {
    expect(linearTicks(-0.2, 0.44, 4)).toEqual([-0.2, 0, 0.2, 0.4]);
    expect(linearTicks(0, 0.003, 3)).toEqual([0, 0.001, 0.002, 0.003]);
  });
  test("the nearest point is found", () => {
    const { points } = plotOf({});
    expect(nearestPoint(points, points[3]?.x as number)).toBe(3);
    expect(nearestPoint(points, -100)).toBe(0);
  });
});

describe("marks", () => {
  const bounds: [number, number] = [62, 590];
  const placed = (present: number, recommended: number) => {
    const { x } = plotOf({});
    return placeMarks(rateMarks({ ...curve, present, recommended }), x, bounds);
  };
  test.each([
    [1e-10, 1e-3],
    [1e-3, 1e-10],
    [1e-3, 3e-3],
    [1, 0.5],
    [1e-10, 1],
  ])("no line runs through a label: present %d, recommended %d", (present, recommended) => {
    const [upper, lower] = placed(present, recommended);
    if (!upper || !lower) throw new Error("two marks");
    expect([upper.lane, lower.lane]).toEqual([0, 1]);
    expect(upper.line === 0 && upper.x >= lower.from && upper.x <= lower.to).toBe(false);
    for (const mark of [upper, lower]) {
      expect(mark.from).toBeGreaterThanOrEqual(62);
      expect(mark.to).toBeLessThanOrEqual(590);
    }
  });
  test("where there is no room beside a label, the line begins below it", () => {
    const rates = { ...curve, present: 2, recommended: 3 };
    const [upper, lower] = placeMarks(rateMarks(rates), (rate) => 60 * rate, [62, 260]);
    expect([upper?.line, lower?.line]).toEqual([2, 1]);
    const [alone] = placeMarks(rateMarks({ ...rates, present: 3 }), (rate) => 20 * rate, [0, 190]);
    expect([alone?.anchor, alone?.line, Math.round(alone?.from ?? -1)]).toEqual(["middle", 1, 0]);
  });
  test("one rate that is present and recommended has one mark; an unknown one has none", () => {
    expect(placed(1e-3, 1e-3).map((mark) => mark.text)).toEqual(["present, recommended 1e-3"]);
    expect(rateMarks({ ...curve, present: null, recommended: null })).toEqual([]);
  });
});

describe("words", () => {
  test("what the loss does is said as the backend says it", () => {
    expect(fallText(0.41)).toBe("falls by 41\u00a0%");
    expect(fallText(-1e6)).toBe("rises by 1e8\u00a0%");
    expect(fallText(1e-9)).toBe("does not change");
    expect(fallText("NaN")).toBe("becomes NaN or infinite");
  });
  test("a rate is present, recommended, in the working range, or nothing of these", () => {
    expect(rateRoles(1e-3, curve)).toEqual(["recommended", "in the working range"]);
    expect(rateRoles(1e-10, curve)).toEqual(["present"]);
    expect(rateRoles(1, curve)).toEqual([]);
    expect(rangeText(curve)).toBe("working range 3.16e-4 to 3.16e-3");
    expect(rangeText({ ...curve, low: null })).toBe("");
  });
  test("the suspects are introduced by what is known of them", () => {
    const [first, open, refuted] = tested.suspects as OverviewAnswer["suspects"];
    if (!first || !open || !refuted) throw new Error("three suspects");
    const fit = "fit what was recorded, the most probable first.";
    expect(suspectsIntro([open])).toBe(`No check has proven a cause. These causes ${fit}`);
    expect(suspectsIntro([open, refuted])).toBe(
      `No check has proven a cause. These causes ${fit} An experiment has refuted one.`,
    );
    expect(suspectsIntro([first, open, refuted, refuted])).toBe(
      `An experiment has confirmed the first cause. Experiments have refuted 2. The others ${fit}`,
    );
    expect(suspectsIntro([first])).toBe("An experiment has confirmed this cause.");
    expect(suspectsIntro([first, first, refuted])).toBe(
      "Experiments have confirmed the first 2 causes. An experiment has refuted one.",
    );
  });
  test("a message becomes a sentence", () => {
    expect(sentence("the loss falls by 41 %")).toBe("The loss falls by 41\u00a0%.");
    expect(sentence("It stands.")).toBe("It stands.");
    expect(sentence("")).toBe("");
  });
  test("the table has all numbers", () => {
    expect(ratesTable(curve).slice(1)).toEqual(curve.rates.map((rate, i) => [rate, curve.falls[i]]));
  });
});
