// `npm run dev` works: the development server answers everything that the panel requests, with recorded payloads.
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createDevServer } from "../dev/server.mjs";
import { ROUTES } from "../src/backend.ts";

const FOLDER = new URL("./payloads/", import.meta.url);
const payloads = readdirSync(FOLDER).map((name) => JSON.parse(readFileSync(new URL(name, FOLDER), "utf8")));
const server = createDevServer();
let address = "";

beforeAll(async () => {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `http://127.0.0.1:${server.address().port}/prefix/`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

async function get(route, parameters = {}) {
  const response = await fetch(
    `${address}data/plugin/weightwatch/${route}?${new URLSearchParams(parameters)}`,
  );
  expect([route, response.status]).toEqual([route, 200]);
  return await response.json();
}

/** The keys of an answer's objects, at any depth, as paths. */
function shapeOf(value, path = "") {
  if (Array.isArray(value)) return value.flatMap((item) => shapeOf(item, `${path}[]`));
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, item]) => [
    `${path}.${key}`,
    ...shapeOf(item, `${path}.${key}`),
  ]);
}

/** The requests of each route for one launch, as load.ts makes them. */
function requestsFor({ run, launch, quantities, variables }) {
  const where = { run, launch, columns: "300" };
  return {
    runs: [{}],
    overview: [{ run }, { run, launch }],
    heatmap: quantities.filter((q) => q.axis !== "run").map((q) => ({ ...where, quantity: q.name })),
    curves: [where, ...variables.map((v) => ({ ...where, name: v.name }))],
    maps: [], // of those launches that have them: see below
    compare: [{ run, launch, other: run, other_launch: launch }],
    explanation: [{ rule: "502" }, { quantity: quantities[0].name }],
    table: [{}],
  };
}

describe("the development server", () => {
  test("answers every route for every launch, in a recorded shape", async () => {
    const shapes = new Set(payloads.map((payload) => JSON.stringify([...new Set(shapeOf(payload))].sort())));
    const { runs } = await get("runs");
    const launches = runs.flatMap(({ run, launches }) => launches.map(({ launch }) => ({ run, launch })));
    expect(launches.length).toBeGreaterThan(2);
    const withMaps = [];
    for (const where of launches) {
      const overview = await get("overview", where);
      expect(overview).toMatchObject(where);
      const requests = requestsFor(overview);
      expect(Object.keys(requests)).toEqual([...ROUTES]);
      if (overview.maps) requests.maps.push({ ...where, name: overview.variables[0].name });
      withMaps.push(...requests.maps);
      for (const route of ROUTES)
        for (const parameters of requests[route]) {
          const answer = await get(route, parameters);
          expect(shapes).toContain(JSON.stringify([...new Set(shapeOf(answer))].sort()));
        }
    }
    expect(withMaps.length).toBeGreaterThan(0);
  });

  test("serves the page, its frame and the panel's bundle, and nothing else", async () => {
    for (const path of ["", "data/plugin_entry.html?name=weightwatch", "data/plugin/weightwatch/index.js"])
      expect((await fetch(address + path)).status).toBe(200);
    for (const path of ["data/plugin/weightwatch/constructor", "../package.json"])
      expect((await fetch(address + path)).status).toBe(404);
  });

  test("can be empty, and down", async () => {
    await fetch(`${address}?empty`);
    expect((await get("runs")).hint).not.toBe("");
    await fetch(`${address}?down`);
    expect((await fetch(`${address}data/plugin/weightwatch/runs`)).status).toBe(404);
    await fetch(address);
    expect((await get("runs")).hint).toBe("");
  });
});
