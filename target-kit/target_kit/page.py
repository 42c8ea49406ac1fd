"""One self-contained HTML page for people: no script, nothing from elsewhere, every text escaped.

What takes a text escapes it, so only this module writes markup; `Html` marks what is done. Control
and bidirectional characters are shown as what they are (`target_kit.redact.escape`). Sources: the
HTML standard, sections 4.9 (tables) and 4.11.1 (details); WCAG 2.2, criteria 1.3.1 and 1.4.3.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from target_kit.redact import escape


class Html(str):
    """Markup made by this module: it goes into a page as it is."""

    __slots__ = ()


#: A cell of a table: numbers stand to the right, texts are escaped.
Cell = str | int | float | Html

CSS = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #59636e; --paper: #fff; --line: #d1d9e0;
  --band: #f6f8fa; --alarm: #b3261e }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --soft: #9aa5b1; --paper: #0d1117; --line: #3d444d; --band: #161b22;
    --alarm: #ff8a80 }
}
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 72rem; margin: 0 auto; padding: 1rem }
h1 { font-size: 1.6rem; overflow-wrap: anywhere }
h2 { font-size: 1.2rem; margin-top: 2rem }
.scroll { overflow-x: auto; margin: 1rem 0 }
table { border-collapse: collapse }
caption { text-align: left; color: var(--soft); padding-bottom: .3rem }
@media (min-width: 40rem) { caption { white-space: nowrap } }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .8rem .3rem 0; text-align: left;
  vertical-align: top; overflow-wrap: break-word }
thead th { border-bottom-width: 2px }
tbody th { font-weight: 600 }
tbody tr:nth-child(even) { background: var(--band) }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
.alarm { color: var(--alarm); font-weight: 600 }
details { margin: .6rem 0; border: 1px solid var(--line); border-radius: .4rem;
  padding: .3rem .8rem }
summary { cursor: pointer; font-weight: 600 }
@media print {
  :root { --ink: #000; --soft: #333; --paper: #fff; --line: #999; --band: #fff; --alarm: #000 }
  body { max-width: none; padding: 0; font-size: 10pt }
  thead { display: table-header-group }
  tr { break-inside: avoid }
  .scroll { overflow: visible }
  details { border: 0; padding: 0 }
  details::details-content { content-visibility: visible; block-size: auto }
}
"""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def text(value: str) -> Html:
    """`value` as it may stand in a page, in an element or in a quoted attribute."""
    return value if isinstance(value, Html) else Html(html.escape(escape(value), quote=True))


def document(title: str, *parts: Html, lang: str = "en", css: str = "") -> str:
    """The whole page; `title` is its heading too, `css` are rules of this page alone."""
    return "\n".join([
        "<!DOCTYPE html>",
        f'<html lang="{text(lang)}">',
        "<head>",
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{text(_POLICY)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{text(title)}</title>",
        f"<style>{CSS}{css}</style>",
        "</head>",
        "<body>",
        "<main>",
        f"<h1>{text(title)}</h1>",
        *parts,
        "</main>",
        "</body>",
        "</html>",
        "",
    ])  # fmt: skip


def section(heading: str, *parts: Html) -> Html:
    """A part of the page under its own heading; without parts it is left out."""
    if not parts:
        return Html("")
    return Html("\n".join(["<section>", f"<h2>{text(heading)}</h2>", *parts, "</section>"]))


def paragraph(words: str, *, alarm: bool = False) -> Html:
    """One paragraph; `alarm` for what somebody has to look at."""
    start = '<p class="alarm">' if alarm else "<p>"
    return Html(f"{start}{text(words)}</p>")


def bullets(words: Iterable[str]) -> Html:
    """A list, one text a point."""
    return Html("\n".join(["<ul>", *(f"<li>{text(one)}</li>" for one in words), "</ul>"]))


def details(summary: str, *parts: Html, opened: bool = False) -> Html:
    """What is shown when somebody asks for it; paper shows it always."""
    start = f"<details{' open' if opened else ''}>"
    return Html("\n".join([start, f"<summary>{text(summary)}</summary>", *parts, "</details>"]))


def table(caption: str, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Html:
    """A table; the first cell of each row is the row's own heading."""
    rows = [*rows]
    counted = {i for row in rows for i, cell in enumerate(row) if i and not isinstance(cell, str)}
    kinds = [' class="number"' if i in counted else "" for i in range(len(head))]
    titles = "".join(
        f'<th scope="col"{kind}>{text(one)}</th>' for one, kind in zip(head, kinds, strict=True)
    )
    body = [
        "<tr>" + "".join(_cell(cell, first=not i) for i, cell in enumerate(row)) + "</tr>"
        for row in rows
    ]
    return Html("\n".join([
        f'<div class="scroll" role="region" tabindex="0" aria-label="{text(caption)}">',
        "<table>",
        f"<caption>{text(caption)}</caption>",
        f"<thead><tr>{titles}</tr></thead>",
        "<tbody>",
        *body,
        "</tbody>",
        "</table>",
        "</div>",
    ]))  # fmt: skip


def _cell(value: Cell, *, first: bool) -> str:
    shown = text(value) if isinstance(value, str) else text(f"{value:,}")
    if first:
        return f'<th scope="row">{shown}</th>'
    return f"<td>{shown}</td>" if isinstance(value, str) else f'<td class="number">{shown}</td>'
