// A stand-in for TensorBoard: its frame, its content security policy, a path prefix, and recorded answers.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { answer } from "./payloads.mjs";

const CSP =
  "default-src 'self';font-src 'self' data:;frame-src 'self';img-src 'self' data: blob:;object-src 'none';" +
  "style-src 'self' https://www.gstatic.com data: 'unsafe-inline';connect-src 'self';script-src 'self' 'unsafe-eval' 'nonce-dev'";
const BUNDLE = new URL("../../tb_weightwatch/static/index.js", import.meta.url);
const PAGE = "/prefix/";
const FRAME = `${PAGE}data/plugin_entry.html`;
const PLUGIN = `${PAGE}data/plugin/weightwatch/`;

const frame = `<!DOCTYPE html><html><head><base href="plugin/weightwatch/"></head><body>
<script type="module" nonce="dev">import("./index.js").then((m) => m.render());</script></body></html>`;
const page = (dark) => `<!DOCTYPE html><html lang="en"><head><title>stand-in</title>
<link rel="icon" href="data:,">
<style>body{margin:0;display:flex;flex-direction:column;height:100vh}iframe{flex:1;border:0}</style></head>
<body class="${dark ? "dark-mode" : "light"}"><tb-webapp></tb-webapp><iframe title="weightwatch" src="data/plugin_entry.html?name=weightwatch"></iframe></body></html>`;

/** Returns type and body of the response to a request for `url`, or null. `options`: set by opening the page. */
function respond(url, options) {
  if (url.pathname === PAGE) {
    for (const option of ["empty", "muted", "down"]) options[option] = url.searchParams.has(option);
    return ["text/html", page(url.searchParams.has("dark"))];
  }
  if (url.pathname === FRAME) return ["text/html", frame];
  if (!url.pathname.startsWith(PLUGIN)) return null;
  const route = url.pathname.slice(PLUGIN.length);
  if (route === "index.js") return ["application/javascript", readFileSync(BUNDLE)];
  const body = options.down ? null : answer(route, url.searchParams, options);
  return body ? ["application/json", JSON.stringify(body)] : null;
}

/** A server that is not listening yet. */
export function createDevServer() {
  const options = {};
  return createServer((request, response) => {
    const [type, body] = respond(new URL(request.url, "http://localhost"), options) ?? ["text/plain", ""];
    response.writeHead(body ? 200 : 404, {
      "Content-Type": `${type}; charset=utf-8`,
      "Cache-Control": "no-cache",
      ...(type === "text/html" && { "Content-Security-Policy": CSP }),
    });
    response.end(body);
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const server = createDevServer();
  server.listen(Number(process.argv[2] ?? 6100), "127.0.0.1", () => {
    console.log(`http://127.0.0.1:${server.address().port}${PAGE}  (also with ?dark, ?empty, ?muted, ?down)`);
  });
}
