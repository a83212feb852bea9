// TensorBoard's frame does `import("./index.js").then((m) => m.render())`.
import { render as mount } from "preact";
import uplotCss from "uplot/dist/uPlot.min.css?inline";
import { refresh, selectFromAddress } from "./actions";
import { onAddress, onDataReloaded, onVisible, readAddress, watchTheme } from "./host";
import { setState } from "./state";
import { STYLES } from "./styles";
import { App } from "./views/app";

function addStyle(text: string): void {
  const style = document.createElement("style");
  style.textContent = text;
  document.head.append(style);
}

function showError(error: unknown): void {
  const box = document.createElement("pre");
  box.className = "page-fatal";
  box.setAttribute("role", "alert");
  box.textContent = `The weightwatch panel failed to render.\n\n${error instanceof Error ? (error.stack ?? error.message) : error}`;
  document.body.replaceChildren(box);
}

function start(): void {
  document.documentElement.lang = "en";
  document.title = "weightwatch";
  addStyle(uplotCss + STYLES);
  watchTheme((dark) => {
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    setState({ dark });
  });
  const root = document.createElement("div");
  root.id = "weightwatch";
  document.body.replaceChildren(root);
  const selection = readAddress();
  setState({ selection, shown: { ...selection, run: "", launch: "" } }); // no run is shown before it is loaded
  mount(<App onError={showError} />, root);
  onAddress(selectFromAddress);
  onDataReloaded(refresh);
  onVisible(refresh);
  refresh();
}

export function render(): void {
  try {
    start();
  } catch (error) {
    showError(error);
  }
}
