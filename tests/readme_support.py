"""Commands in a README with the output they are said to have: run, and compared.

A block is marked `<!-- printed: NAME -->`; its first line is `$ command`, the rest what it prints.
Moments, hashes and ids differ from run to run; `shape` makes one text of all of them.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

_BLOCK = re.compile(r"<!-- printed: ([a-z-]+) -->\n```console\n\$ ([^\n]*)\n(.*?)```", re.DOTALL)
_VARIES = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?([+-]\d\d:\d\d|Z)?"), "<moment>"),
    (re.compile(r"\b[0-9a-f]{8,64}\b"), "<hash>"),
    (re.compile(r"127\.0\.0\.1:\d+(/\w+)?|account\.api-us1\.com"), "<account>"),
    (re.compile(r"\d+(\.\d+)+(\.dev\d+)?"), "<number>"),
    (re.compile(r"\d+ requests/s"), "<rate>"),
)


def printed(readme: Path) -> dict[str, tuple[list[str], str]]:
    """By name: the words of the command, and its output as it stands there."""
    text = readme.read_text(encoding="utf-8")
    return {name: (shlex.split(line), output) for name, line, output in _BLOCK.findall(text)}


def shape(text: str) -> str:
    """The text without what differs from run to run."""
    for pattern, word in _VARIES:
        text = pattern.sub(word, text)
    return "\n".join(" ".join(line.split()) for line in text.strip().splitlines())
