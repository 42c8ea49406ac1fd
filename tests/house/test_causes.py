"""Each word for a cause has a sentence for people, and no sentence is left without its word."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from house_support import ROOT
from target_kit.causes import SENTENCES, sentence

SOURCES = sorted(ROOT.glob("target-*/target_*/*.py"))
#: Which argument of a call is the cause.
PLACES = {"RowError": 0, "Result": 2, "applied": 1}


def words_in(call: ast.Call) -> Iterator[str]:
    """The literal causes that a call names."""
    name = getattr(call.func, "id", getattr(call.func, "attr", ""))
    place = PLACES.get(name, len(call.args))
    given = [*call.args[place : place + 1], *(k.value for k in call.keywords if k.arg == "cause")]
    for part in (node for one in given for node in ast.walk(one)):
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value:
            yield part.value


def texts_in(path: Path) -> tuple[set[str], set[str]]:
    """The causes that a module gives to records, and all its texts."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    constants = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return {word for call in calls for word in words_in(call)}, {
        value.rpartition(":")[2] for value in constants if isinstance(value, str)
    }


def test_each_cause_in_the_sources_has_a_sentence() -> None:
    """S0-60: whoever reads the report's page learns what a word means and what to do."""
    found = {word: path.name for path in SOURCES for word in texts_in(path)[0]}
    assert len(found) > 50
    assert {word: name for word, name in found.items() if not sentence(word)} == {}


def test_each_sentence_is_about_a_word_of_the_sources() -> None:
    """What no target says any more is not explained."""
    texts = {text for path in SOURCES if path.name != "causes.py" for text in texts_in(path)[1]}
    assert sorted(SENTENCES.keys() - texts) == []


def test_sentences_end_as_sentences_do() -> None:
    """They stand beside each other in a table."""
    assert [one for one in SENTENCES.values() if not one[0].isupper() or one[-1] != "."] == []
