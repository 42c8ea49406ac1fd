"""Opens a page of ours in Chromium without a window, and tells what happened there.

Debian's package `chromium`; the flags keep the browser from talking to anybody on its own. All that
a page asks for goes to a proxy that writes it down and answers nothing.
"""

from __future__ import annotations

import os
import re
import shutil
import socketserver
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from lxml import html

_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-default-apps", "--disable-extensions", "--disable-dev-shm-usage",
    "--enable-logging=stderr", "--v=0", "--proxy-bypass-list=<-loopback>",
)  # fmt: skip
#: Errands of the browser itself: the time, updates, signing in. No page of ours names them.
_ERRANDS = re.compile(r"\w+ (https?://)?(clients2|accounts|update)\.google(apis)?\.com[:/]")
_CONSOLE = re.compile(r':CONSOLE[:(]\d+\)?\] "(.*)", source: ')


def chromium() -> str:
    """The browser's program; where there is none the test is skipped, and fails in CI."""
    found = shutil.which("chromium")
    if found is None:
        reason = "there is no chromium: apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@dataclass(frozen=True)
class Table:
    """One table as a reader sees it; `rows` are texts."""

    caption: str
    head: list[str]
    rows: list[list[str]]

    def column(self, name: str) -> list[str]:
        """The cells below one heading."""
        return [row[self.head.index(name)] for row in self.rows]


@dataclass(frozen=True)
class Opened:
    """What the browser made of a page: its elements, what its console says, whom it asked."""

    dom: str
    console: list[str]
    requests: list[str]

    @property
    def root(self) -> html.HtmlElement:
        """The document's root element."""
        return html.document_fromstring(self.dom)

    @property
    def title(self) -> str:
        """The title by the end."""
        return str(self.root.findtext(".//title"))

    @property
    def text(self) -> str:
        """All that can be read."""
        return " ".join(str(self.root.find("body").text_content()).split())

    def tables(self, caption: str = "") -> list[Table]:
        """The tables whose caption begins with these words."""
        found = [_table(one) for one in self.root.iter("table")]
        return [one for one in found if one.caption.startswith(caption)]

    def count(self, xpath: str) -> int:
        """How many elements an expression finds."""
        return len(self.root.xpath(xpath))


def opened(page: Path, *flags: str) -> Opened:
    """Open the file in a browser with a profile of its own; returns when it is shown."""
    program = chromium()
    with tempfile.TemporaryDirectory(prefix="browser-") as folder, _proxy() as (port, asked):
        done = subprocess.run(
            [
                program, *_FLAGS, f"--user-data-dir={folder}/profile",
                f"--proxy-server=http://127.0.0.1:{port}", "--timeout=20000", *flags,
                "--dump-dom", page.resolve().as_uri(),
            ],
            capture_output=True, text=True, timeout=90, check=False,
            env={**os.environ, "HOME": folder, "XDG_CONFIG_HOME": folder, "XDG_CACHE_HOME": folder},
        )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout, done.stderr[-2000:]
    return Opened(done.stdout, _CONSOLE.findall(done.stderr), asked)


def number(cell: str) -> int:
    """A count as the page writes it."""
    return int(cell.replace(",", ""))


def _table(element: html.HtmlElement) -> Table:
    lines = [[_words(cell) for cell in row.iter("th", "td")] for row in element.iter("tr")]
    return Table(_words(element.find("caption")), lines[0], lines[1:])


def _words(element: html.HtmlElement) -> str:
    return " ".join(str(element.text_content()).split())


class _Listener(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    asked: list[str]


class _Note(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        line = self.rfile.readline(4096).decode(errors="replace").strip()
        assert isinstance(self.server, _Listener)
        if line and not _ERRANDS.match(line):
            self.server.asked.append(line)


@contextmanager
def _proxy() -> Iterator[tuple[int, list[str]]]:
    with _Listener(("127.0.0.1", 0), _Note) as server:
        server.asked = []
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server.server_address[1], server.asked
        finally:
            server.shutdown()
            thread.join(10)
