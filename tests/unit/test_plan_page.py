"""Plans for people: the text and the page say the same, and nothing in them can break them."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from target_kit.page import Html, bullets, details, document, paragraph, section, table, text
from target_kit.plan import Entry, Forecast, Item, PlanHeader, PlanWriter
from target_kit.plan_model import ACTIONS, SHOWN, Overview
from target_kit.plan_page import as_page
from target_kit.plan_text import as_text

HEADER = PlanHeader(
    target="target-activecampaign",
    version="1.2.3",
    created_at="2026-03-01T12:00:00+00:00",
    account="sample.example.com",
    settings="0123abcd",
    streams={
        "contacts": {"nothing": 4_000, "create": 1, "odd": 2, "update": 1_200, "reject": 1},
        "accounts": {"create": 12},
    },
    forecast=Forecast.of({"GET contacts": 40, "POST contacts": 1_201}, 1_201, 5.0),
    guards=[{"name": "creates", "count": 1, "limit": 0, "message": "1 record too many"}],
    notes=["custom field LAND would be created"],
)
NAME = Item("set", "firstName", "rules.firstName: always", "d1")
NEWS = Item("unsubscribe", "News", "lists.News: unsubscribed", "d2", withdrawal=True)
ENTRIES = [
    Entry("contacts", "0123456789abcdef", "17", "update", (NAME, NEWS), "wish_kept"),
    Entry("contacts", "fedcba9876543210", None, "create", (Item("create", "", "", "d3"), NAME)),
    Entry("contacts", "aaaa", "18", "reject", cause="email_syntax"),
]

TEXT = """\
What target-activecampaign would do
  Target: target-activecampaign 1.2.3
  Account: sample.example.com
  Made at: 2026-03-01T12:00:00+00:00
  Settings: 0123abcd

Nothing was written. To carry it out: mode: apply with this plan_file.

Records
  stream    would be created  would be changed  would be rejected  need nothing  odd
  contacts                 1             1,200                  1         4,000    2
  accounts                12                 0                  0             0    0

What would change
  stream    change                                                                    times
  contacts  set firstName (rules.firstName: always)                                       2
  contacts  unsubscribe from list News (lists.News: unsubscribed; no guard stops it)      1
  contacts  create                                                                        1

What would not be done, and why
  stream    records            cause         number
  contacts  would be changed   wish_kept          1
  contacts  would be rejected  email_syntax       1

Besides
  custom field LAND would be created

Guards that would say no
  1 record too many

Calls
  route          number
  GET contacts       40
  POST contacts   1,201

1,241 calls: 40 reads, 1,201 writes; about 4 minutes at 5 requests/s

One by one
  contacts 17: update (wish_kept): set firstName (rules.firstName: always); \
unsubscribe from list News (lists.News: unsubscribed; no guard stops it)
  contacts a row without key (fedcba98): create: create; set firstName (rules.firstName: always)
  contacts 18: reject (email_syntax)
"""

VOID = {"meta", "link", "br", "img", "hr", "input"}


class Page(HTMLParser):
    """Reads a page strictly: every element is closed in its order."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open and data.strip():
            self.texts.append(data)

    @property
    def names(self) -> set[str]:
        return {tag for tag, _ in self.tags}


def overview(entries: list[Entry]) -> Overview:
    seen = Overview()
    for entry in entries:
        seen.count(entry)
    return seen


def test_the_text_reads_as_a_person_would_say_it() -> None:
    """Head, totals, changes with their rules, causes, guards, calls, then one by one."""
    assert as_text(HEADER, overview(ENTRIES)) == TEXT


def test_the_page_says_what_the_text_says() -> None:
    """Every number and every word of the text is on the page too."""
    shown = " ".join(" ".join(Page(as_page(HEADER, overview(ENTRIES))).texts).split())
    for line in TEXT.partition("One by one")[0].splitlines():
        for cell in re.split(r" {2,}", line.strip()):
            name, _, value = cell.partition(": ")
            ours = cell if cell in shown else f"{name} {value}"
            assert ours.lower() in shown.lower(), cell
    for entry in ENTRIES:
        assert entry.name in shown
        assert "; ".join(item.words for item in entry.items) in shown
        assert entry.cause in shown


def test_an_empty_plan_says_that_nothing_would_be_done() -> None:
    """Parts without content are left out, in both."""
    header = PlanHeader("t", "1", "now", "a", "s", {"contacts": {"nothing": 7}})
    said = as_text(header, Overview())
    assert said == (
        "What t would do\n  Target: t 1\n  Account: a\n  Made at: now\n  Settings: s\n\n"
        "Nothing was written. To carry it out: mode: apply with this plan_file.\n\n"
        "Records\n  stream    need nothing\n  contacts             7\n\n"
        "0 calls: 0 reads, 0 writes\n"
    )
    titles = re.findall("<h2>(.*?)</h2>", as_page(header, Overview()))
    assert titles == ["Records", "Calls"]


def test_the_page_stands_alone() -> None:
    """One file without scripts that asks nobody for anything, and says so to the browser."""
    page = as_page(HEADER, overview(ENTRIES))
    found = Page(page)
    assert found.names.isdisjoint({"script", "link", "img", "iframe", "object", "form", "base"})
    assert "//" not in page.replace("<!DOCTYPE html>", "")
    assert "url(" not in page
    assert "@import" not in page
    policies = [one["content"] for _, one in found.tags if "http-equiv" in one]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]
    assert ("html", {"lang": "en"}) in found.tags
    assert page.startswith("<!DOCTYPE html>\n")
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page


def test_tables_can_be_read_aloud() -> None:
    """WCAG 2.2, 1.3.1: captions, and every heading says for which cells it is."""
    found = Page(as_page(HEADER, overview(ENTRIES)))
    tags = [tag for tag, _ in found.tags]
    assert tags.count("table") == tags.count("caption") == 8
    assert {one.get("scope") for tag, one in found.tags if tag == "th"} == {"col", "row"}
    assert tags.count("h1") == tags.count("title") == tags.count("main") == 1


def test_entries_are_folded_by_what_would_happen() -> None:
    """A browser opens and closes them without JavaScript; the order is that of the actions."""
    entries = [*ENTRIES, Entry("contacts", "b", "19", "odd"), Entry("contacts", "c", "20", "odder")]
    page = as_page(HEADER, overview(entries))
    assert re.findall("<summary>(.*?)</summary>", page) == [
        "1 would be created",
        "1 would be changed",
        "1 would be rejected",
        "1 odd",
        "1 odder",
    ]
    assert [one for one in ACTIONS if one in {"create", "update"}] == ["create", "update"]


@pytest.mark.parametrize(
    ("more", "says"), [(0, ""), (1, "first 1,000; 1 more"), (1_234, "first 1,000; 1,234 more")]
)
def test_long_plans_show_the_first_thousand(more: int, says: str) -> None:
    """Totals are those of all; how many are left out is said."""
    seen = overview([
        Entry("contacts", f"{i:032}", f"nr-{i}", "update", (NAME,), "wish_kept")
        for i in range(SHOWN + more)
    ])  # fmt: skip
    for shown in (as_text(HEADER, seen), as_page(HEADER, seen)):
        assert len(set(re.findall(r"nr-\d+", shown))) == SHOWN == 1_000
        assert shown.count(f"{SHOWN + more:,}") >= 2
        assert ("are in the plan file" in shown) is bool(more)
        assert says in shown


def test_each_action_has_words_and_its_place() -> None:
    """What changes comes first, then what is not done, then what needs nothing."""
    names = ("nothing", "reject", "hold", "suppress", "delete", "remove", "unsubscribe", "update",
             "add", "create")  # fmt: skip
    streams = {"contacts": dict.fromkeys(names, 1), "a\nb": {"delete": 1}}
    said = as_text(PlanHeader("t", "1", "now", "a", "s", streams), Overview())
    table = said.partition("Records\n")[2].partition("\n\n")[0].splitlines()
    assert re.split(" {2,}", table[0].strip()) == [
        "stream",
        "would be created",
        "would be put on the list",
        "would be changed",
        "would be unsubscribed",
        "would be taken off the list",
        "would be deleted for good",
        "would be left out (suppressed)",
        "would be held back",
        "would be rejected",
        "need nothing",
    ]
    assert len({len(line) for line in table}) == 1
    seen = overview([Entry("contacts", "w", "1", action) for action in names])
    folds = re.findall("<summary>1 (.*?)</summary>", as_page(HEADER, seen))
    assert folds == list(ACTIONS.values())


def test_columns_are_as_wide_as_what_is_shown() -> None:
    """An escaped name takes its place; no line ends in blanks."""
    entries = [
        Entry("contacts", "w", "1", "hold", cause="a\nb"),
        Entry("contacts", "w", "1", "hold", cause="abcd"),
    ]
    said = as_text(HEADER, overview(entries))
    assert "  contacts  would be held back  a\\nb        1\n" in said
    assert "  contacts  would be held back  abcd        1\n" in said
    assert not re.search(" $", said, re.MULTILINE)


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (Item("create", "", "", ""), "create"),
        (Item("set", "LAND", "rules.LAND: always", ""), "set LAND (rules.LAND: always)"),
        (Item("clear", "LAND", "r", ""), "empty LAND (r)"),
        (Item("rename", "", "r", ""), "change the address (r)"),
        (Item("add", "News", "r", ""), "put on list News (r)"),
        (Item("remove", "News", "r", ""), "take off list News (r)"),
        (Item("subscribe", "News", "r", ""), "subscribe to list News (r)"),
        (Item("unsubscribe", "A", "", "", True), "unsubscribe from list A (no guard stops it)"),
        (Item("tag_add", "a", "r", ""), "add tag a (r)"),
        (Item("tag", "a", "r", ""), "add tag a (r)"),
        (Item("tag_remove", "a", "r", "", True), "remove tag a (r; no guard stops it)"),
        (Item("associate", "", "r", ""), "connect with account (r)"),
        (Item("settle", "F", "r", ""), "note as tagged in F (r)"),
        (Item("retire", "", "r", ""), "retire (r)"),
        (Item("delete", "", "on_delete: delete", ""), "delete for good (on_delete: delete)"),
        (Item("polish", "shoes", "r", ""), "polish shoes (r)"),
    ],
)  # fmt: skip
def test_items_have_words(item: Item, words: str) -> None:
    """Each kind as a marketer says it, a new one by its name."""
    assert item.words == words


def test_a_forecast_adds_up() -> None:
    """Seconds are all calls at the rate; without a rate there are none."""
    counted = {"GET contacts": 590, "POST contacts": 10}
    found = Forecast.of(counted, 10, 5.0)
    counted.clear()  # whoever counts goes on counting
    assert (found.reads, found.writes, found.seconds) == (590, 10, 120.0)
    assert found.calls == {"GET contacts": 590, "POST contacts": 10}
    assert found.words == "600 calls: 590 reads, 10 writes; about 2 minutes at 5 requests/s"
    almost = Forecast.of({"GET contacts": 299}, 0, 5.0)
    assert almost.words == "299 calls: 299 reads, 0 writes; less than a minute at 5 requests/s"
    exactly = Forecast.of({"GET contacts": 300}, 0, 5.0)
    assert exactly.words == "300 calls: 300 reads, 0 writes; about 1 minutes at 5 requests/s"
    assert Forecast.of({"GET contacts": 5}, 0, 0.0).seconds == 0.0
    assert Forecast().words == "0 calls: 0 reads, 0 writes"


HOSTILE = [
    '"', "'", "</td></table><script>alert(1)</script>", "<img src=x onerror=alert(1)>",
    "a\nCRITICAL forged", "a\r\n\r\n  b", "\u202egnp.exe", "\u2028", "&lt;", "&#60;script&#62;",
    "]}", "\x00\x1b[2J", "--><!--", "' onmouseover='alert(1)", "</style>", "</summary></details>",
    "\ufeff", "ä€𝄞",
]  # fmt: skip


def hostile_plan(word: str) -> tuple[PlanHeader, list[Entry]]:
    header = PlanHeader(
        word, word, word, word, word, {word: {word: 1, "create": 2}},
        Forecast.of({word: 3}, 1, 5.0), [{"message": word}, {word: word}], [word],
    )  # fmt: skip
    items = (Item(word, word, word, word), Item("set", word, word, word, withdrawal=True))
    return header, [Entry(word, word, word, word, items, word), Entry(word, word, None, "create")]


def assert_whole(page: str, plain: str) -> None:
    """A hostile page has the very elements of a plain one."""
    assert [tag for tag, _ in Page(page).tags] == [tag for tag, _ in Page(plain).tags]
    assert all(char.isprintable() or char == "\n" for char in page)


@pytest.mark.parametrize("word", HOSTILE)
def test_no_name_breaks_the_page_or_forges_a_line(word: str, tmp_path: Path) -> None:
    """X7: names from settings and keys from the source are text, whatever they hold."""
    plain, plain_entries = hostile_plan("plain")
    header, entries = hostile_plan(word)
    assert_whole(as_page(header, overview(entries)), as_page(plain, overview(plain_entries)))
    said, usual = as_text(header, overview(entries)), as_text(plain, overview(plain_entries))
    assert said.count("\n") == usual.count("\n")
    assert said.replace("\n", "").isprintable()
    with PlanWriter(tmp_path / "work") as writer:
        for entry in entries:
            writer.add(entry)
        writer.finish(tmp_path / "plan.json", header)
    assert (tmp_path / "plan.json").read_bytes().count(b"\n") == 4
    assert (tmp_path / "plan.json.html").read_text() == as_page(header, overview(entries))
    assert (tmp_path / "plan.json.txt").read_text() == said


@given(st.text(min_size=1))
def test_any_text_stays_text_on_a_page(word: str) -> None:
    """Every helper escapes what it is given, in elements and in attributes."""

    def whole(one: str) -> str:
        return document(
            one,
            section(one, paragraph(one), paragraph(one, alarm=True), bullets([one, one])),
            details(one, table(one, [one, one], [[one, 1], [one, one]]), opened=True),
            lang=one,
        )

    assert_whole(whole(word), whole("x"))


def test_escaped_text_shows_what_was_given() -> None:
    """Nothing is lost by it, and what is markup already is not escaped again."""
    assert Page(document("a & <b>")).texts == ["a & <b>", "a & <b>"]
    assert text("a<b") == "a&lt;b"
    assert text("\"'") == "&quot;&#x27;"
    assert text(text("a<b")) == "a&lt;b"
    assert isinstance(text("a"), Html)


def test_numbers_stand_to_the_right() -> None:
    """With separators; the first cell of a row is its heading, number or not."""
    made = table("t", ["a", "b", "c"], [[1_000, 12_345, "67890"], ["x", 2.5, Html("<b>y</b>")]])
    rows = re.findall("<tr>(.*?)</tr>", made)
    assert rows == [
        '<th scope="col">a</th><th scope="col" class="number">b</th><th scope="col">c</th>',
        '<th scope="row">1,000</th><td class="number">12,345</td><td>67890</td>',
        '<th scope="row">x</th><td class="number">2.5</td><td><b>y</b></td>',
    ]


def test_a_part_without_content_is_left_out() -> None:
    """No heading over nothing; folded parts are closed unless asked for."""
    assert section("Guards") == ""
    assert section("Guards", paragraph("a")) == "<section>\n<h2>Guards</h2>\n<p>a</p>\n</section>"
    assert paragraph("a", alarm=True) == '<p class="alarm">a</p>'
    assert details("a").startswith("<details>")
    assert details("a", opened=True).startswith("<details open>")
