import { expect, test } from "vitest";
import text from "../package-lock.json?raw";

interface Entry {
  integrity?: string;
  optionalDependencies?: Record<string, string>;
}

const packages = (JSON.parse(text) as { packages: Record<string, Entry> }).packages;

test("the lock file names no download address and no host", () => {
  expect(text).not.toContain('"resolved"');
  expect(text).not.toMatch(/[a-z]+:\/\//);
});

test("every package is pinned by its content, those of other platforms too, or `npm ci` refuses the file", () => {
  const entries = Object.entries(packages).filter(([path]) => path !== "");
  expect(entries.filter(([, entry]) => !entry.integrity).map(([path]) => path)).toEqual([]);
  const wanted = entries.flatMap(([, entry]) => Object.keys(entry.optionalDependencies ?? {}));
  expect(wanted.filter((name) => !(`node_modules/${name}` in packages))).toEqual([]);
});
