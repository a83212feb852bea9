// The modules and style sheets of the panel: who imports whom, and which classes exist.
import { describe, expect, test } from "vitest";

const sources = import.meta.glob<string>("../src/**/*.{ts,tsx}", {
  query: "?raw",
  import: "default",
  eager: true,
});
const sheets = import.meta.glob<string>("../src/**/*.css", { query: "?raw", import: "default", eager: true });

const nameOf = (path: string) => path.replace("../src/", "").replace(/\.tsx?$/, "");
const modules = new Map(Object.entries(sources).map(([path, text]) => [nameOf(path), text]));

/** The modules of the panel that a module imports, also for types only. */
function importsOf(name: string): string[] {
  const folder = name.split("/").slice(0, -1);
  const targets = [...(modules.get(name) ?? "").matchAll(/from "(\.[^"?]*)"/g)].map((match) => {
    const parts = [...folder];
    for (const part of (match[1] as string).split("/")) {
      if (part === "..") parts.pop();
      else if (part !== ".") parts.push(part);
    }
    return parts.join("/");
  });
  return targets.filter((target) => !target.endsWith(".css"));
}

/** A list of modules, each importing the next one, that ends where it begins; or null. */
function findCircle(): string[] | null {
  const done = new Set<string>();
  const visit = (name: string, path: string[]): string[] | null => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name];
    if (done.has(name)) return null;
    for (const target of importsOf(name)) {
      const circle = visit(target, [...path, name]);
      if (circle) return circle;
    }
    done.add(name);
    return null;
  };
  for (const name of modules.keys()) {
    const circle = visit(name, []);
    if (circle) return circle;
  }
  return null;
}

describe("modules", () => {
  test("every imported module is found, so that the tests below see all imports", () => {
    const targets = [...modules.keys()].flatMap(importsOf);
    expect(targets.length).toBeGreaterThan(100);
    expect(targets.filter((target) => !modules.has(target))).toEqual([]);
  });

  test("no import circle", () => {
    expect(findCircle()).toBe(null);
  });

  test.each([
    ["lib", ["lib"]],
    ["draw", ["lib", "draw"]],
    ["views", ["lib", "draw", "views", "actions", "clipboard", "state"]],
  ])("%s imports only from %s", (floor, allowed) => {
    const names = [...modules.keys()].filter((name) => name.startsWith(`${floor}/`));
    expect(names.length).toBeGreaterThan(0);
    const floors = names.flatMap(importsOf).map((target) => target.split("/")[0] as string);
    expect(floors.filter((target) => !allowed.includes(target))).toEqual([]);
  });

  test("views read the state through selectors only", () => {
    const views = [...modules].filter(([name]) => name.startsWith("views/"));
    expect(views.filter(([, text]) => text.includes("getState")).map(([name]) => name)).toEqual([]);
  });

  test("a module has at most 200 lines", () => {
    const long = [...modules].filter(([, text]) => text.split("\n").length > 201).map(([name]) => name);
    expect(long).toEqual([]);
  });
});

describe("style sheets", () => {
  const code = [...modules.values()].join("\n");
  // Words of a selector: classes that are computed ("broken", "training") occur in the code as well.
  const classesOf = (sheet: string) =>
    [...sheet.replace(/\/\*.*?\*\//gs, "").matchAll(/\.([a-z][a-z-]*)(?=[^{}]*\{)/g)].map(
      (match) => match[1] as string,
    );

  test("a view's sheet stands beside its view", () => {
    const orphans = Object.keys(sheets)
      .map((path) => path.replace("../src/", "").replace(".css", ""))
      .filter((name) => name.startsWith("views/") && !modules.has(name));
    expect(orphans).toEqual([]);
  });

  test("every class of the sheets is used", () => {
    const classes = new Set(Object.values(sheets).flatMap(classesOf));
    expect(classes.size).toBeGreaterThan(50);
    const uplot = [...classes].filter((name) => name.startsWith("u-"));
    const unused = [...classes].filter(
      (name) => !uplot.includes(name) && !new RegExp(`["\`\\s]${name}["\`\\s]`).test(code),
    );
    expect(unused).toEqual([]);
  });

  test("colours are written in tokens.css only", () => {
    const others = Object.entries(sheets).filter(([path]) => !path.endsWith("/tokens.css"));
    expect(others.filter(([, sheet]) => /#[0-9a-f]{3,8}\b/i.test(sheet)).map(([path]) => path)).toEqual([]);
  });

  test("every token that is used exists", () => {
    const tokens = sheets["../src/tokens.css"] as string;
    const declared = new Set([...tokens.matchAll(/(--[\w-]+):/g)].map((match) => match[1]));
    const used = Object.values(sheets).flatMap((sheet) => [...sheet.matchAll(/var\((--[\w-]+)\)/g)]);
    const missing = used.map((match) => match[1]).filter((token) => !declared.has(token));
    expect([...new Set(missing)]).toEqual(["--curve-title-width"]); // set by its view
  });
});
