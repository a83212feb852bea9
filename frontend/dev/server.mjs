// A stand-in for TensorBoard: its frame, its content security policy, a path prefix, and made-up answers.
//   node dev/server.mjs [port]      then http://localhost:PORT/prefix/   (?dark, ?empty, ?many)
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import * as make from "./make.mjs";

const CSP =
  "default-src 'self';font-src 'self' data:;frame-src 'self';img-src 'self' data: blob:;object-src 'none';" +
  "style-src 'self' https://www.gstatic.com data: 'unsafe-inline';connect-src 'self';script-src 'self' 'unsafe-eval' 'nonce-dev'";
const INDEX = new URL("../../tb_weightwatch/static/index.js", import.meta.url);
const PLUGIN = "/prefix/data/plugin/weightwatch/";
const mode = { empty: false, many: false, down: false };

const frame = `<!DOCTYPE html><html><head><base href="plugin/weightwatch/"></head><body>
<script type="module" nonce="dev">import("./index.js").then((m) => m.render());</script></body></html>`;
const page = (dark) => `<!DOCTYPE html><html lang="en"><head><title>stand-in</title>
<style>body{margin:0;display:flex;flex-direction:column;height:100vh}iframe{flex:1;border:0}</style></head>
<body class="${dark ? "dark-mode" : "light"}"><tb-webapp></tb-webapp><iframe title="weightwatch" src="data/plugin_entry.html?name=weightwatch"></iframe></body></html>`;

function answer(route, q) {
  const columns = Number(q.get("columns") ?? 300);
  if (route === "runs") return mode.empty ? make.EMPTY : make.runs(mode.many);
  if (route === "overview") return make.overview(q.get("run"), q.get("launch"));
  if (route === "heatmap") return make.heatmap(q.get("run"), q.get("quantity"), columns);
  if (route === "curves") return make.curves(q.get("run"), q.get("name"), columns);
  return null;
}

createServer((request, response) => {
  const url = new URL(request.url, "http://localhost");
  const send = (type, body, status = 200) => {
    const policy = type === "text/html" ? { "Content-Security-Policy": CSP } : {};
    response.writeHead(status, {
      "Content-Type": `${type}; charset=utf-8`,
      "Cache-Control": "no-cache",
      ...policy,
    });
    response.end(body);
  };
  if (url.pathname === "/prefix/") {
    Object.assign(mode, {
      empty: url.searchParams.has("empty"),
      many: url.searchParams.has("many"),
      down: false,
    });
    return send("text/html", page(url.searchParams.has("dark")));
  }
  if (url.pathname === "/down") mode.down = true;
  if (url.pathname.endsWith("plugin_entry.html")) return send("text/html", frame);
  if (!url.pathname.startsWith(PLUGIN) || mode.down) return send("text/plain", "no", mode.down ? 503 : 404);
  const route = url.pathname.slice(PLUGIN.length);
  if (route === "index.js") return send("application/javascript", readFileSync(INDEX));
  const body = answer(route, url.searchParams);
  return body ? send("application/json", JSON.stringify(body)) : send("text/plain", "no such route", 404);
}).listen(Number(process.argv[2] ?? 6100), "127.0.0.1");
