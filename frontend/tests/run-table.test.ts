// The table of all runs: how it is sorted, and what it exports; and what the comparison shows of several runs.
import { describe, expect, test } from "vitest";
import type { OverviewAnswer, SuspectAnswer } from "../src/lib/api";
import { mergedSettings } from "../src/lib/compared-settings";
import { numberOf, runsTable, sortedRows, sortOf, viewOf, WORST_FIRST } from "../src/lib/run-table";
import { experimentOf, suspectsTitle } from "../src/lib/verdicts";
import tested from "./payloads/overview-tested.json";
import { column, HEALTHY, link, row } from "./table-rows";

const labels = (rows: readonly { label: string }[]) => rows.map(({ label }) => label);

describe("sorting", () => {
  const rows = [
    row("run-10", { ...HEALTHY, loss: 0.2, links: [link("ok", "0.2")], settings: ["1e-3"] }),
    row("run-9", { severity: "warning", loss: null, links: [link("affected", "3")], settings: ["0.5"] }),
    row("run-2", { loss: "NaN", links: [link("broken", "NaN", true)], settings: [""] }),
    row("run-1", { status: "undecided", severity: "none", headline: "undecided", links: [], settings: [] }),
    row("run-3", { loss: 12, links: [link("broken", "2")], settings: ["1,024"] }),
  ];
  const by = (key: string, descending = false) =>
    labels(sortedRows(rows, { key, descending }, [column("units")]));

  test("the worst answers first, then by name, whose numbers count as numbers", () => {
    expect(by("answer")).toEqual(["run-2", "run-3", "run-9", "run-1", "run-10"]);
    expect(by("run")).toEqual(["run-1", "run-2", "run-3", "run-9", "run-10"]);
  });

  test("what was not recorded comes last in both directions; NaN is the largest loss", () => {
    expect(by("final")).toEqual(["run-10", "run-1", "run-3", "run-2", "run-9"]);
    expect(by("final", true)).toEqual(["run-2", "run-3", "run-1", "run-10", "run-9"]);
    expect(by("units")).toEqual(["run-10", "run-9", "run-3", "run-2", "run-1"]);
  });

  test("a link: where the chain breaks first, then broken ones, then the others", () => {
    expect(by("loss")).toEqual(["run-2", "run-3", "run-9", "run-10", "run-1"]);
  });

  test("the given order stays without a column, and the rows that are given are not changed", () => {
    expect(by("")).toEqual(labels(rows));
    by("run");
    expect(rows[0]?.label).toBe("run-10");
  });

  test("the address holds column and direction", () => {
    for (const sort of [WORST_FIRST, { key: "loss", descending: true }, { key: "a:b-c", descending: false }])
      expect(sortOf(viewOf(sort))).toEqual(sort);
    expect(viewOf(WORST_FIRST)).toBe("runs");
    expect(sortOf("nonsense")).toEqual(WORST_FIRST);
  });

  test("numbers are read from the backend's texts", () => {
    expect(["1,024", "> 99.9 %", "3.1e-5", "", "relu", "-2"].map(numberOf)).toEqual([
      1024,
      99.9,
      3.1e-5,
      null,
      null,
      -2,
    ]);
    expect(["NaN", "Inf", "-Inf"].map(numberOf)).toEqual([Infinity, Infinity, -Infinity]);
  });
});

test("the exported table has the state and the number of each link", () => {
  const rows = [row("a", { links: [] }), row("b", { settings: ["relu"] })];
  expect(runsTable(rows, [column("activation")])).toEqual([
    ["run", "status", "answer", "Loss", "Loss number", "last step", "final loss", "activation"],
    ["a", "sick", "vanishing-gradient", null, null, 96, 0.5, null],
    ["b", "sick", "vanishing-gradient", "ok", "0.5", 96, 0.5, "relu"],
  ]);
});

test("settings of several pairs are merged: a run whose pair lacks one has the value of the chosen run", () => {
  const pair = (label: string, one: string, other: string) => ({ name: label, label, one, other });
  expect(
    mergedSettings([[pair("rate", "1", "2")], [], [pair("units", "8", "16"), pair("rate", "1", "3")]]),
  ).toEqual([
    { label: "rate", values: ["1", "2", "1", "3"] },
    { label: "units", values: ["8", "8", "8", "16"] },
  ]);
});

test("a tested suspect leads to its experiment, and causes that are all confirmed are no suspects", () => {
  const overview = tested as unknown as OverviewAnswer;
  const experiments = overview.suspects.map((suspect) => experimentOf(overview, suspect)?.name);
  expect(experiments).toEqual(["learning-rate-sweep", "gradient-check", "data-variants"]);
  const untested = { name: "dead-relu", outcome: "" } as SuspectAnswer;
  expect(experimentOf(overview, untested)).toBeUndefined();
  expect(suspectsTitle(overview.suspects)).toBe("Suspects");
  expect(suspectsTitle(overview.suspects.slice(0, 1))).toBe("Cause");
});
