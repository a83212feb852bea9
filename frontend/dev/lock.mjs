// Writes package-lock.json without addresses: neither where a package was downloaded nor where to fund it.
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";

// The old file is removed first: it would hide that the package of a platform could not be found.
rmSync(new URL("../package-lock.json", import.meta.url));
execFileSync("npm", ["install", "--package-lock-only"], { stdio: "inherit" });
const file = new URL("../package-lock.json", import.meta.url);
const lock = JSON.parse(readFileSync(file, "utf8"));
for (const entry of Object.values(lock.packages)) {
  delete entry.resolved;
  delete entry.funding;
}
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
