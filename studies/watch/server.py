"""The server of the page: on loopback alone, for requests that name this host, read-only."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from pathlib import Path
from typing import Any

from studies.watch.progress import Medians, progress

HOST = "127.0.0.1"
NAMES = (
    HOST,
    "localhost",
)  # under which a browser may ask: another name is one that was made to lead here
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline';"
    " connect-src 'self'; img-src data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
HTML, JSON = "text/html; charset=utf-8", "application/json"
Answer = tuple[str, Callable[[], str]]  # type, and what makes the text


def server(out: Path, port: int) -> ThreadingHTTPServer:
    """A server that shows a study's folder; 0 is any port that is free.

    Raises:
        OSError: the port is taken.
    """  # noqa: DOC502
    medians = Medians(out)
    answers: dict[str, Answer] = {
        "/": (HTML, page),
        "/progress.json": (JSON, lambda: json.dumps(progress(out))),
        "/medians.json": (JSON, lambda: json.dumps(medians.now())),
    }
    made = _Server((HOST, port), functools.partial(_Handler, answers))
    return made


def address(of: ThreadingHTTPServer) -> str:
    """What to open."""
    return f"http://{HOST}:{of.server_address[1]}/"


@functools.cache
def page() -> str:
    """The page, with the looks of a report."""
    text = resources.files("studies.watch").joinpath("page.html").read_text(encoding="utf-8")
    style = resources.files("studies.report").joinpath("template", "style.css")
    return text.replace("/* style */", style.read_text(encoding="utf-8"))


class _Server(ThreadingHTTPServer):
    """Requests end with the process, and what goes wrong in one is its own."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that left is no news."""


class _Handler(BaseHTTPRequestHandler):
    """Answers GET for the paths that there are; all other methods are not implemented."""

    server_version, sys_version = "studies.watch", ""
    timeout = 30.0

    def __init__(self, answers: Mapping[str, Answer], *request: Any) -> None:  # noqa: ANN401
        self.answers = answers
        super().__init__(*request)

    def do_GET(self) -> None:  # noqa: N802
        """Answer a request."""
        _, port = self.connection.getsockname()
        if self.headers.get("Host", "") not in {f"{name}:{port}" for name in NAMES}:
            self._send(HTTPStatus.FORBIDDEN, "text/plain", f"expected the host {HOST}:{port}\n")
            return
        kind, make = self.answers.get(self.path.partition("?")[0], ("", str))
        if kind:
            self._send(HTTPStatus.OK, kind, make())
        else:
            self._send(HTTPStatus.NOT_FOUND, "text/plain", "no such page\n")

    def _send(self, status: HTTPStatus, kind: str, text: str) -> None:
        raw = text.encode()
        self.send_response(status)
        for name, value in (HEADERS | {"Content-Type": kind, "Content-Length": str(len(raw))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *words: object) -> None:
        """Requests are not told."""
