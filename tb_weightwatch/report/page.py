"""The HTML of a report: the panel's bundle, the data, and the script between them."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any

_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
_RENDER = re.compile(r"export\s*\{[^}]*?([\w$]+)\s+as\s+render\b[^}]*\}\s*;?")

# In the data, a curve that a heat map holds as well is a reference: [key of the heat map, row, last, other fields], and
# `buckets` of the answer is the key of a heat map with the same buckets.
_SCRIPT = """{
const packed = document.getElementById("data").textContent.trim();
const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
const text = new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
const data = JSON.parse(await text);
const key = (route, parameters) => JSON.stringify([route, ...parameters]);
const bucketsOf = ({ covered, first, last, recorded }) => ({ covered, first, last, recorded });
const resolved = ({ buckets, ...answer }) => ({
  ...answer,
  ...(buckets ? bucketsOf(data[buckets]) : {}),
  curves: answer.curves.map((curve) => {
    if (!Array.isArray(curve)) return curve;
    const [heatmap, row, last, fields] = curve;
    const { quantity, low, high } = data[heatmap];
    return { quantity, ...fields, low: low[row], high: high[row], last: last ?? high[row] };
  }),
});
window.fetch = async (url) => {
  const request = new URL(url, "http://report/");
  const newest = data.newest[request.searchParams.get("run")];
  if (newest !== undefined && !request.searchParams.get("launch")) request.searchParams.set("launch", newest);
  const parameters = [...request.searchParams].filter(([name, value]) => name !== "columns" && value !== "").sort();
  const route = request.pathname.split("/").pop();
  const answer = data[key(route, parameters)];
  const error = { error: "this report does not contain it; open the log directory in TensorBoard" };
  const body = answer === undefined ? error : route === "curves" ? resolved(answer) : answer;
  return new Response(JSON.stringify(body), { status: answer === undefined ? 404 : 200 });
};
}"""


def request_key(route: str, parameters: Mapping[str, str]) -> str:
    """Returns the key of a request, exactly as `key` in the script above forms it."""
    pairs = sorted([name, value] for name, value in parameters.items() if value != "")
    return json.dumps([route, *pairs], ensure_ascii=False, separators=(",", ":"))


def html(data: Mapping[str, Any]) -> str:
    """Returns the page that shows these answers (request key -> answer)."""
    packed = gzip.compress(json.dumps(data, separators=(",", ":"), allow_nan=False).encode(), 6, mtime=0)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width">\n<title>weightwatch</title>\n'
        f'<script id="data" type="text/plain">{base64.b64encode(packed).decode()}</script>\n'
        f'</head>\n<body>\n<script type="module">{_SCRIPT}\n{_panel()}</script>\n</body>\n</html>\n'
    )


def _panel() -> str:
    """Returns the panel's bundle as a script that draws the panel: its one export is called."""
    bundle = resources.files("tb_weightwatch").joinpath("static", "index.js").read_text(encoding="utf-8")
    script, count = _RENDER.subn(lambda match: f";{match[1]}();", bundle)
    if count != 1:
        raise RuntimeError(f"the panel's bundle must export `render` exactly once, found {count}: rebuild the frontend")
    return re.sub(r"<(?=/script|!--)", r"\\x3c", script, flags=re.IGNORECASE)
