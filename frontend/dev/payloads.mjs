// Writes tests/payloads/*.json from the made-up answers: a stand-in until the Python tests write real ones.
import { writeFileSync } from "node:fs";
import * as make from "./make.mjs";

const small = "cnn/lr-1e-10";
const nan = "cnn/fp16-dirty-input";
const payloads = {
  runs: make.runs(),
  "runs-empty": make.EMPTY,
  "overview-sick": make.overview(small),
  "overview-nan": make.overview(nan),
  "overview-healthy": make.overview("cnn/baseline"),
  heatmap: make.heatmap(small, "update_ratio", 24),
  "heatmap-nan": make.heatmap(nan, "grad_norm", 24),
  "curves-run": make.curves(nan, null, 24),
  "curves-variable": make.curves(small, "stem/conv/kernel", 24),
};
for (const [name, payload] of Object.entries(payloads))
  writeFileSync(new URL(`../tests/payloads/${name}.json`, import.meta.url), `${JSON.stringify(payload)}\n`);
