"""Outcomes of the last runs as bars: an inline SVG, one column a run, the newest to the right.

Three bands with a scale each, since what was written and what was not delivered are a handful
beside what agreed already. Colours are those of Okabe and Ito (https://jfly.uni-koeln.de/color/),
which people with any colour vision can tell apart; bars are separated by lines, and each number is
in the table besides. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median

from target_kit.outcome import Outcome
from target_kit.page import Html, text
from target_kit.run_history import PastRun

#: What stands together, from the bottom of the bar to its top.
BANDS = (
    ("Written", (Outcome.APPLIED,)),
    ("Left as it was", (Outcome.UNCHANGED, Outcome.SUPPRESSED)),
    ("Not delivered", (Outcome.HELD, Outcome.REJECTED, Outcome.FAILED, Outcome.UNKNOWN)),
)

CSS = """
:root { --applied: #0072b2; --unchanged: #9aa5b1; --suppressed: #cc79a7; --held: #e69f00;
  --rejected: #d55e00; --failed: #7a2048; --unknown: #1b1f24 }
@media (prefers-color-scheme: dark) {
  :root { --applied: #56b4e9; --unchanged: #6e7781; --failed: #f28db2; --unknown: #e6edf3 }
}
@media print { * { print-color-adjust: exact } }
.chart { display: block; width: 100%; min-width: 34rem; max-width: 60rem; height: auto }
.chart text { font: 11px system-ui, sans-serif; fill: var(--soft) }
.chart .band { font-weight: 600; fill: var(--ink) }
.chart .mark { text-anchor: middle; fill: var(--alarm); font-weight: 600 }
.chart .right { text-anchor: end }
.chart .cut { text-anchor: end; fill: var(--paper) }
.chart line { stroke: var(--line) }
.chart .gap { stroke: var(--soft); stroke-dasharray: 2 3 }
.chart rect { stroke: var(--paper); stroke-width: .75 }
.chart .plan rect { fill-opacity: .4 }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; padding: 0; margin: .5rem 0;
  list-style: none; font-size: .9rem }
.legend i { display: inline-block; width: .8em; height: .8em; margin-right: .4em;
  border-radius: .15em }
""" + "".join(
    f".chart .{one} {{ fill: var(--{one}) }} .legend .{one} {{ background: var(--{one}) }}\n"
    for one in Outcome
)

_WIDTH, _HEIGHT, _HEAD, _FOOT = 720, 64, 24, 34
#: A run of so many times what is usual is cut off, or all others were flat beside a first load;
#: what is usual is known from so many runs on.
_UNUSUAL, _KNOWN_FROM = 8, 5
_SLOT = (22.0, 44.0)  # narrowest and widest column


def chart(runs: Sequence[PastRun], when: Sequence[str]) -> Html:
    """The drawing of `runs`, the oldest first; `when` says the time of each."""
    slot = min(_SLOT[1], max(_SLOT[0], _WIDTH / max(1, len(runs))))
    bottom = len(BANDS) * (_HEAD + _HEIGHT)
    tops = [_highest(runs, outcomes) for _, outcomes in BANDS]
    label = "Outcomes of the last runs; the table below has the same numbers"
    box = f"0 0 {_WIDTH} {bottom + _FOOT}"
    parts = [f'<svg class="chart" role="img" viewBox="{box}" aria-label="{label}">']
    for index, (name, _) in enumerate(BANDS):
        base = (index + 1) * (_HEAD + _HEIGHT)
        parts.append(f'<text class="band" x="0" y="{base - _HEIGHT - 6}">{text(name)}</text>')
        if tops[index]:
            parts.append(
                f'<text class="right" x="{_WIDTH}" y="{base - _HEIGHT - 6}">{tops[index]:,}</text>'
                f'<line x1="0" x2="{_WIDTH}" y1="{base - _HEIGHT}" y2="{base - _HEIGHT}"/>'
            )
        parts.append(f'<line x1="0" x2="{_WIDTH}" y1="{base}" y2="{base}"/>')
    for index, (run, moment) in enumerate(zip(runs, when, strict=True)):
        parts.append(_column(run, moment, index * slot, slot, tops))
    if runs:
        middle = [index * slot + slot / 2 for index in range(len(runs))]
        parts.append(f'<text x="0" y="{bottom + 30}">{text(when[0])}</text>')
        if middle[-1] > _WIDTH / 2:
            parts.append(
                f'<text class="right" x="{_number(len(runs) * slot)}" y="{bottom + 30}">'
                f"{text(when[-1])}</text>"
            )
    parts.append("</svg>")
    return Html("\n".join(['<div class="scroll">', *parts, "</div>"]))


def legend() -> Html:
    """Which colour is which outcome, in the order of the bands."""
    shown = [outcome for _, outcomes in BANDS for outcome in outcomes]
    items = [f'<li><i class="{one}"></i>{one}</li>' for one in shown]
    return Html("\n".join(['<ul class="legend">', *items, "</ul>"]))


def explained(runs: Sequence[PastRun]) -> Iterator[str]:
    """A sentence for each sign that the drawing of these runs has."""
    marks = {_mark(run) for run in runs}
    if "×" in marks:
        yield "× ended with another exit code than 0."
    if "?" in marks:
        yield ("? has no end: the run was killed, or was still at work when this page was written.")
    if any(run.mode == "plan" for run in runs):
        yield "Pale bars are plans: nothing was written."
    tops = [_highest(runs, outcomes) for _, outcomes in BANDS]
    if any(
        _total(run, outcomes) > top
        for run in runs
        for top, (_, outcomes) in zip(tops, BANDS, strict=True)
    ):
        yield f"A bar with a number is cut off: it is more than {_UNUSUAL} times what is usual."


def _mark(run: PastRun) -> str:
    """One character for what is special about a run: no end known, or not done."""
    if run.unfinished:
        return "?"
    return "×" if run.exit_code else ""


def _total(run: PastRun, outcomes: Sequence[Outcome]) -> int:
    counts = run.outcomes
    return sum(counts[one] for one in outcomes)


def _highest(runs: Sequence[PastRun], outcomes: Sequence[Outcome]) -> int:
    """What the height of a band stands for: the highest run that is not out of the usual."""
    totals = [total for run in runs if (total := _total(run, outcomes))]
    if len(totals) < _KNOWN_FROM:
        return max(totals, default=0)
    return max(one for one in totals if one <= _UNUSUAL * median(totals))


def _column(run: PastRun, moment: str, left: float, slot: float, tops: Sequence[int]) -> str:
    counts = run.outcomes
    said = ", ".join(f"{number:,} {one}" for one, number in counts.items() if number)
    status = run.status or "unfinished"
    kinds = ["run", *(["plan"] if run.mode == "plan" else [])]
    parts = [
        f'<g class="{" ".join(kinds)}">',
        f"<title>{text(f'{moment}: {status}' + (f'; {said}' if said else ''))}</title>",
    ]
    middle = left + slot / 2
    for index, (_, outcomes) in enumerate(BANDS):
        level: float = (index + 1) * (_HEAD + _HEIGHT)
        total = _total(run, outcomes)
        if run.unfinished:
            parts.append(
                f'<line class="gap" x1="{_number(middle)}" x2="{_number(middle)}" '
                f'y1="{_number(level - _HEIGHT)}" y2="{_number(level)}"/>'
            )
        for one in outcomes:
            if not counts[one]:
                continue
            # What is there is seen, however small its share.
            height = max(1.5, counts[one] / max(total, tops[index]) * _HEIGHT)
            level -= height
            parts.append(
                f'<rect class="{one}" x="{_number(left + slot * 0.15)}" y="{_number(level)}" '
                f'width="{_number(slot * 0.7)}" height="{_number(height)}"/>'
            )
        if total > tops[index]:  # its number stands in the bar, upright
            x, y = _number(middle + 4), _number((index + 1) * (_HEAD + _HEIGHT) - _HEIGHT + 5)
            place = f'x="{x}" y="{y}" transform="rotate(-90 {x} {y})"'
            parts.append(f'<text class="cut" {place}>{total:,}</text>')
    if sign := _mark(run):
        below = len(BANDS) * (_HEAD + _HEIGHT) + 14
        parts.append(f'<text class="mark" x="{_number(middle)}" y="{below}">{sign}</text>')
    return "".join([*parts, "</g>"])


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
