// The answers of the development server: what the backend answered when tests/unit/test_payloads.py recorded it.
import { readdirSync, readFileSync } from "node:fs";

const FOLDER = new URL("../tests/payloads/", import.meta.url);

function load(name) {
  return JSON.parse(readFileSync(new URL(name, FOLDER), "utf8"));
}

/** All recorded payloads by name. */
const payloads = Object.fromEntries(
  readdirSync(FOLDER).map((name) => [name.replace(".json", ""), load(name)]),
);

/** The recorded overview of each launch. */
const overviews = Object.fromEntries(
  Object.values(payloads).flatMap((payload) => ("sentence" in payload ? [[payload.launch, payload]] : [])),
);

function newestLaunch(run) {
  return payloads.runs.runs.find((r) => r.run === run)?.launches.at(-1)?.launch;
}

/** Histograms and motion maps were recorded of one variable of one launch. */
function hasMaps({ launch, variables }) {
  return launch === "sick-1" && variables.some((v) => v.name === payloads.maps.name);
}

function overview(query) {
  const run = query.get("run");
  const payload = overviews[query.get("launch") ?? newestLaunch(run)];
  return payload && { ...payload, run, maps: hasMaps(payload) ? "recorded" : "" };
}

function curves(query) {
  const name = query.get("name");
  if (name) return { ...payloads["curves-variable"], name };
  return query.get("launch") === "suspected-1" ? payloads["curves-suspected"] : payloads["curves-run"];
}

// A heat map was recorded of one quantity, and curves of one variable. They are served for all others, too.
const ROUTES = {
  runs: () => payloads.runs,
  overview,
  heatmap: (query) => (query.get("launch") === "nan-1" ? payloads["heatmap-nan"] : payloads.heatmap),
  curves,
  maps: (query) => (query.get("name") === payloads.maps.name ? payloads.maps : null),
  compare: () => payloads.compare,
  explanation: (query) => payloads[query.get("rule") ? "explanation-rule" : "explanation-quantity"],
  table: () => payloads["run-table"],
};

/** The answer to a request, or undefined if there is none. `empty`: as in a directory without runs. */
export function answer(route, query, { empty = false, muted = false } = {}) {
  if (route === "runs" && empty) return payloads["runs-empty"];
  const found = Object.hasOwn(ROUTES, route) ? ROUTES[route](query) : undefined;
  return muted && found?.launch === "sick-1" ? { ...overviews["muted-1"], run: found.run } : found;
}
