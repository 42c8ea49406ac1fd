"""Who was deleted, noted by several shards in one state_dir."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path

from target_kit.tombstones import Tombstone, Tombstones

SHARDS = 4


def test_shards_that_note_the_first_deletions_at_once_find_all_of_them(tmp_path: Path) -> None:
    """Item 7: file and key are made once, or no hash would match the notes of the others."""
    for turn in range(15):
        folder, start = tmp_path / str(turn), threading.Barrier(SHARDS)

        def note(number: int, folder: Path = folder, start: threading.Barrier = start) -> None:
            with closing(Tombstones(folder, "contacts")) as tombstones:
                start.wait(30)
                tombstones.note([Tombstone(f"key:{number}", "2")])

        threads = [threading.Thread(target=note, args=(number,)) for number in range(SHARDS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with closing(Tombstones(folder, "contacts")) as tombstones:
            assert all(tombstones.covers(f"key:{number}", "1") for number in range(SHARDS))
