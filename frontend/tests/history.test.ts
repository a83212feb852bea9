// Which changes of the selection are entries of the browser's history, and which are written into the present one.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { NOTHING, type Selection, sameSelection } from "../src/lib/selection";

const written: { filter: string; newEntry: boolean }[] = [];
let address: Selection = NOTHING;

vi.mock("../src/host", () => ({
  writeAddress: (selection: Selection, newEntry: boolean) => {
    if (sameSelection(selection, address)) return false;
    address = selection;
    written.push({ filter: selection.runFilter, newEntry });
    return true;
  },
}));

beforeEach(() => {
  vi.resetModules();
  vi.useFakeTimers();
  vi.stubGlobal("window", globalThis);
  [address, written.length] = [NOTHING, 0];
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function type(...texts: string[]): Promise<void> {
  const { recordSelection } = await import("../src/history");
  for (const text of texts) recordSelection({ ...NOTHING, runFilter: text }, ["runFilter"], "typing");
}

test("a word that is typed is one entry, in which its further letters are written", async () => {
  await type("a", "ab");
  vi.advanceTimersByTime(200);
  await type("abc");
  vi.advanceTimersByTime(200);
  expect(written).toEqual([
    { filter: "ab", newEntry: true },
    { filter: "abc", newEntry: false },
  ]);
});

test("a change that was undone before it was written leaves the entry of another action alone", async () => {
  await type("a", "");
  vi.advanceTimersByTime(200);
  expect(written).toEqual([]);
  await type("b");
  vi.advanceTimersByTime(200);
  expect(written).toEqual([{ filter: "b", newEntry: true }]);
});
