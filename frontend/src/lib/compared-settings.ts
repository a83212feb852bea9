// The settings in which several runs differ from the chosen one, in one table.
import type { PairAnswer } from "./api";

/** One row per setting, with the value of the chosen run and of each compared one. A run whose pairs lack it is alike. */
export function mergedSettings(compared: readonly PairAnswer[][]): { label: string; values: string[] }[] {
  const first = new Map<string, string>();
  for (const { label, one } of compared.flat()) if (!first.has(label)) first.set(label, one);
  return [...first].map(([label, one]) => ({
    label,
    values: [one, ...compared.map((pairs) => pairs.find((pair) => pair.label === label)?.other ?? one)],
  }));
}
