// Which settings go with which answer: what is named of the runs of a sweep, and what is not.
import { describe, expect, test } from "vitest";
import type { RunTableRow } from "../src/lib/api-table";
import { type AnswerGroup, answerGroups, chanceOf } from "../src/lib/setting-patterns";
import { column, HEALTHY, row } from "./table-rows";

describe("settings that go with an answer", () => {
  /** Runs with these settings, of which those that `isSick` chooses have a vanishing gradient. */
  const grid = (count: number, settings: (i: number) => (string | null)[], isSick: (i: number) => boolean) =>
    Array.from({ length: count }, (_, i) =>
      row(`run-${i}`, { ...(isSick(i) ? {} : HEALTHY), settings: settings(i) }),
    );
  const told = ({ headline, patterns, tooFew }: AnswerGroup) => [
    headline,
    ...patterns.map((p) => `${p.setting.name} ${p.values}: ${p.inside}/${p.group} ${p.outside}/${p.others}`),
    ...(tooFew ? ["too few"] : []),
  ];
  const groups = (rows: RunTableRow[], names: string[]) => answerGroups(rows, names.map(column)).map(told);

  test("a setting that divides the runs exactly is named, with its value for each answer", () => {
    const activation = (i: number) => ["relu", "sigmoid", "tanh", "relu"][i % 4] as string;
    const rows = grid(
      20,
      (i) => [String(i % 5), activation(i)],
      (i) => activation(i) !== "relu",
    );
    expect(groups(rows, ["seed", "activation"])).toEqual([
      ["healthy", "activation = relu: 10/10 0/10"],
      ["vanishing-gradient", "activation = sigmoid or tanh: 10/10 0/10"],
    ]);
  });

  test("numbers are put as a range, whose ends say whether it goes on", () => {
    const rates = (i: number) => [(10 ** (-6 + i / 5)).toPrecision(2)];
    expect(
      groups(
        grid(30, rates, (i) => i >= 20),
        ["rate"],
      )[1]?.[1],
    ).toMatch(/^rate ≥ 0\.010: 10\/10 0\/20$/);
    const [, inside] = groups(
      grid(30, rates, (i) => i < 10 || i >= 20),
      ["rate"],
    );
    expect(inside?.[1]).toMatch(/^rate from 0\.00010 to 0\.0063: 10\/10 0\/20$/);
  });

  test("where no setting divides them exactly, the counts of the clearest one are told", () => {
    const rows = grid(
      40,
      (i) => [i % 2 ? "SGD" : "Adam"],
      (i) => (i % 2 ? i !== 1 : i === 0),
    );
    expect(groups(rows, ["optimizer"])).toEqual([
      ["vanishing-gradient", "optimizer = SGD: 19/20 1/20"],
      ["healthy", "optimizer = Adam: 19/20 1/20"],
    ]);
  });

  test("settings that divide the runs equally well are all named", () => {
    const rows = grid(
      20,
      (i) => [i % 2 ? "relu" : "tanh", i % 2 ? "32" : "64"],
      (i) => i % 2 === 0,
    );
    expect(groups(rows, ["activation", "batch"])[0]).toEqual([
      "vanishing-gradient",
      "activation = tanh: 10/10 0/10",
      "batch = 64: 10/10 0/10",
    ]);
  });

  test("nothing is named for what may be chance, or where nothing goes with the answer", () => {
    const few = grid(
      4,
      (i) => [String(10 ** i)],
      (i) => i === 3,
    );
    expect(groups(few, ["rate"])).toEqual([
      ["healthy", "too few"],
      ["vanishing-gradient", "too few"],
    ]);
    const apart = grid(
      40,
      (i) => [i % 4 < 2 ? "relu" : "tanh"],
      (i) => i % 2 === 0,
    );
    expect(groups(apart, ["activation"])).toEqual([["vanishing-gradient"], ["healthy"]]);
    const unique = grid(
      40,
      (i) => [`seed ${i}`],
      (i) => i % 2 === 0,
    );
    expect(groups(unique, ["seed"])).toEqual([
      ["vanishing-gradient", "too few"],
      ["healthy", "too few"],
    ]);
  });

  test("a setting that was not recorded is no value, and one that is off is", () => {
    const rows = grid(
      20,
      (i) => [i % 2 ? "" : "1"],
      (i) => i % 2 === 1,
    );
    expect(groups(rows, ["clipnorm"])[1]).toEqual(["vanishing-gradient", "clipnorm = none: 10/10 0/10"]);
    const unknown = grid(
      20,
      (i) => [i % 2 ? null : "1"],
      (i) => i % 2 === 1,
    );
    expect(groups(unknown, ["clipnorm"])).toEqual([["healthy"], ["vanishing-gradient"]]);
    expect(
      groups(
        grid(
          5,
          () => [],
          () => false,
        ),
        [],
      ),
    ).toEqual([["healthy"]]);
  });

  test("the chance of a division is that of drawing runs at random", () => {
    expect(chanceOf(3, 3, 3, 6)).toBeCloseTo(1 / 20);
    expect(chanceOf(0, 3, 3, 6)).toBeCloseTo(1);
    expect(chanceOf(1, 1, 1, 4)).toBeCloseTo(1 / 4);
  });
});
