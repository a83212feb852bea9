// TensorBoard's frame does `import("./index.js").then((m) => m.render())`.
import { render as mount } from "preact";
import uplotCss from "uplot/dist/uPlot.min.css?inline";
import { onAddress, onDataReloaded, onVisible, readAddress, watchTheme } from "./host";
import { refresh, select } from "./load";
import { setState } from "./state";
import css from "./style.css?inline";
import { App } from "./views/app";

function addStyle(text: string): void {
  const style = document.createElement("style");
  style.textContent = text;
  document.head.append(style);
}

function drawError(error: unknown): void {
  const box = document.createElement("pre");
  box.className = "fatal";
  box.setAttribute("role", "alert");
  box.textContent = `weightwatch could not draw this page.\n\n${error instanceof Error ? (error.stack ?? error.message) : error}`;
  document.body.replaceChildren(box);
}

function start(): void {
  document.documentElement.lang = "en";
  document.title = "weightwatch";
  addStyle(uplotCss + css);
  watchTheme((dark) => {
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    setState({ dark });
  });
  const root = document.createElement("div");
  root.id = "weightwatch";
  document.body.replaceChildren(root);
  setState({ selection: readAddress() });
  mount(<App onError={drawError} />, root);
  onAddress((selection) => select(selection, false));
  onDataReloaded(refresh);
  onVisible(refresh);
  refresh();
}

export function render(): void {
  try {
    start();
  } catch (error) {
    drawError(error);
  }
}
