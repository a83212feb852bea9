import { expect, test } from "vitest";
import lock from "../package-lock.json?raw";

test("the lock file names no download address and no host", () => {
  expect(lock).not.toContain('"resolved"');
  expect(lock).not.toMatch(/[a-z]+:\/\//);
});
