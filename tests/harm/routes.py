"""Odd requests to real TensorBoard processes: no failure of the server, valid answers, a server that goes on."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from tests.support import synthetic_runs
from tests.support.tensorboard_process import get_json, tensorboard, wait_for_runs

from .route_cases import PREFIX, ROUTES, Case, sample, target

CASES = 2400
LOADERS = ("fast", "python")
SECONDS = 60.0  # that an answer may take
FAULTS = ("Traceback", "Error on request", "failed to answer")  # on TensorBoard's console


class RouteCounts(NamedTuple):
    """What the cases did.

    Attributes:
        loader: TensorBoard's loader.
        tried: how many requests were sent.
        survived: how many got a valid answer that is no failure of the server.
        told: how many got an answer that says what is wrong with the request.
        faults: what went wrong, at most ten.
    """

    loader: str
    tried: int
    survived: int
    told: int
    faults: tuple[str, ...]


def run(cases: int = CASES, loaders: tuple[str, ...] = LOADERS) -> list[RouteCounts]:
    """Sends so many cases to a TensorBoard process with each of the loaders."""
    counts = []
    with tempfile.TemporaryDirectory() as folder:
        logdir, log = Path(folder) / "logs", Path(folder) / "console"
        write_runs(logdir)
        for loader in loaders:
            flag = f"--load_fast={'true' if loader == 'fast' else 'false'}"
            with tensorboard(logdir, flag, tensorflow=False, log=log) as address:
                wait_for_runs(address, 2)
                counts.append(attack(address, log, loader, sample(cases)))
    return counts


def write_runs(logdir: Path) -> None:
    """Writes the runs that the cases ask for."""
    synthetic_runs.write(logdir / "healthy", 64)
    synthetic_runs.write(logdir / "sick", 64, nan_from=40)


def attack(address: str, log: Path, loader: str, cases: list[Case]) -> RouteCounts:
    """Sends the cases to a server and looks at each answer, and then at the server and its console."""
    refused = [route for route in ROUTES if sent(address, Case(target(route, ROUTES[route])))[0].status != 200]
    with ThreadPoolExecutor(16) as pool:
        verdicts = list(pool.map(lambda case: judged(address, case), cases))
    faults = [
        f"{case.method} {case.target[:200]}: {v}"
        for case, v in zip(cases, verdicts, strict=True)
        if v not in ("", "told")
    ]
    survived = len(cases) - len(faults)
    faults += [f"the valid request for {route} was refused" for route in refused]
    if len(get_json(f"{address}{PREFIX}/runs")["runs"]) != 2:
        faults.append("the server does not list its runs any more")
    faults += [
        f"on the console: {line.strip()}" for line in log.read_text().splitlines() if any(f in line for f in FAULTS)
    ]
    return RouteCounts(loader, len(cases), survived, Counter(verdicts)["told"], tuple(faults[:10]))


def judged(address: str, case: Case) -> str:
    """Sends a request and returns what is wrong with the answer; "": nothing, "told": it says what is asked wrongly."""
    try:
        response, body = sent(address, case)
    except (OSError, http.client.HTTPException) as error:
        return f"no answer: {error!r}"
    if response.status >= 500 and response.status != 501:  # 501: the web server knows no such method
        return f"status {response.status}"
    if response.headers.get("X-Injected"):
        return "a header was injected"
    if response.headers.get_content_type() != "application/json" or case.method == "HEAD" or response.status == 304:
        return "" if response.status < 400 else "told"
    try:
        answer = json.loads(gzip.decompress(body) if response.headers.get("Content-Encoding") == "gzip" else body)
    except ValueError as error:
        return f"no JSON: {error}"
    if response.status >= 400:
        return "told" if isinstance(answer.get("error"), str) else "an error without a message"
    return ""


def sent(address: str, case: Case) -> tuple[http.client.HTTPResponse, bytes]:
    """Sends a request as it is, which no ordinary client would, and returns the answer."""
    parts = urlsplit(address)
    headers = dict(case.headers)
    lines = [f"{case.method} {case.target} HTTP/1.1", f"Host: {headers.pop('Host', parts.netloc)}"]
    if case.body and not {"Content-Length", "Transfer-Encoding"} & headers.keys():
        headers["Content-Length"] = str(len(case.body))
    lines += [f"{name}: {value}" for name, value in headers.items()]
    with socket.create_connection((parts.hostname or "", parts.port or 80), SECONDS) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1", "replace") + case.body)
        connection.shutdown(socket.SHUT_WR)
        response = http.client.HTTPResponse(connection, method=case.method)
        response.begin()
        return response, response.read()


if __name__ == "__main__":
    for found in run():
        print(found)
