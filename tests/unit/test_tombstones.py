"""Who was deleted, remembered without a name."""

from __future__ import annotations

from pathlib import Path

import pytest
from target_kit.tombstones import Tombstone, Tombstones, TombstonesError
from target_kit.versions import is_newer, version_key

EARLY, DELETED, NEW = (version_key(f"2026-0{month}-01T00:00:00Z") for month in (1, 3, 4))


def remembered(folder: Path, *tombstones: Tombstone, stream: str = "contacts") -> Tombstones:
    Tombstones(folder, stream).note(tombstones)
    return Tombstones(folder, stream)


@pytest.mark.parametrize(
    ("version", "covered"),
    [(EARLY, True), (DELETED, True), (None, True), (version_key(99), True), (NEW, False)],
)
def test_only_newer_evidence_of_the_same_kind_lifts_a_deletion(
    tmp_path: Path, version: str | None, covered: bool
) -> None:
    """A version of another kind, or none, proves nothing."""
    tombstones = remembered(tmp_path, Tombstone("key:1", DELETED))
    assert tombstones.covers("key:1", version) is covered
    assert not tombstones.covers("key:2", version)


def test_a_deletion_without_version_stands(tmp_path: Path) -> None:
    """There is nothing that a record could be newer than."""
    assert remembered(tmp_path, Tombstone("key:1", None)).covers("key:1", NEW)


def test_the_later_of_two_deletions_counts_in_any_order(tmp_path: Path) -> None:
    """A note that comes again, older or not, weakens nothing."""
    for number, versions in enumerate(([EARLY, DELETED], [DELETED, EARLY], [None, DELETED])):
        folder = tmp_path / str(number)
        tombstones = remembered(folder, *(Tombstone("key:1", v) for v in versions))
        tombstones = remembered(folder, *(Tombstone("key:1", v) for v in versions))
        assert tombstones.covers("key:1", DELETED)
        assert not tombstones.covers("key:1", NEW)


def test_streams_do_not_share_deletions(tmp_path: Path) -> None:
    """Key 1 of one stream is nobody of another."""
    remembered(tmp_path, Tombstone("key:1", DELETED))
    assert not Tombstones(tmp_path, "people").covers("key:1", EARLY)


def test_no_name_can_be_read_or_tested_without_the_key(tmp_path: Path) -> None:
    """X7: two memories of one deletion have no byte string of the person in common."""
    name = "email:person@example.com"
    for folder in ("a", "b"):
        remembered(tmp_path / folder, Tombstone(name, DELETED)).close()
    kept = [(tmp_path / folder / "tombstones.sqlite").read_bytes() for folder in ("a", "b")]
    assert all(b"person" not in content for content in kept)
    assert kept[0] != kept[1]
    for path in (tmp_path / "a").iterdir():
        assert path.stat().st_mode & 0o077 == 0, path.name


def test_a_memory_without_its_key_is_an_error(tmp_path: Path) -> None:
    """X6: a new key would silently forget everybody."""
    remembered(tmp_path, Tombstone("key:1", DELETED)).close()
    (tmp_path / "tombstones.key").unlink()
    with pytest.raises(TombstonesError, match="restore"):
        Tombstones(tmp_path, "contacts")


def test_versions_compare_within_their_kind_only() -> None:
    """S0-9: moments by time and not by zone, numbers by value, never one with the other."""
    assert is_newer(version_key(10), version_key(9))
    assert is_newer(version_key("2026-01-01T00:00:00Z"), version_key("2026-01-01T00:30:00+01:00"))
    assert not is_newer(version_key("2026-01-01T00:00:00Z"), version_key(9))
    assert not is_newer(version_key(9), version_key(9))
    assert not is_newer(None, version_key(9))
