"""Persons are named by keyed hashes; the key is well kept."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

import pytest
from fake_clock import FakeClock
from target_kit.errors import ConfigurationError
from target_kit.redact import KeyHasher

KEY = b"k" * 32


def test_a_hash_is_short_stable_and_keyed() -> None:
    """E11: same key same name, other key other name, and no plain hash of the address."""
    address = "somebody@example.com"
    name = KeyHasher(KEY)(address)
    assert name == KeyHasher(KEY)(address)
    assert len(name) == 12
    assert int(name, 16) >= 0
    assert name != KeyHasher(b"l" * 32)(address)
    assert name not in hashlib.sha256(address.encode()).hexdigest()
    assert KeyHasher(KEY)("j\udcff")


def test_a_short_key_is_refused() -> None:
    """A guessable key would be no key."""
    with pytest.raises(ValueError, match="32 bytes"):
        KeyHasher(b"short")


def test_the_key_is_made_once_and_only_for_us(tmp_path: Path) -> None:
    """E8: 0600 in a 0700 folder, whatever the umask; the next run names people the same."""
    folder = tmp_path / "state"
    before = os.umask(0)
    try:
        first = KeyHasher.from_state_dir(folder)
    finally:
        os.umask(before)
    (file,) = folder.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert len(file.read_bytes()) == 32
    assert KeyHasher.from_state_dir(folder)("x") == first("x")


def test_two_folders_have_two_keys(tmp_path: Path) -> None:
    """Hashes of different installations can't be joined."""
    one, two = (KeyHasher.from_state_dir(tmp_path / name) for name in "ab")
    assert one("x") != two("x")


def test_first_users_at_the_same_time_get_the_same_key(tmp_path: Path) -> None:
    """E26: made with O_EXCL, so one wins and the others read."""
    barrier = threading.Barrier(8)
    names: list[str] = []

    def work() -> None:
        barrier.wait()
        names.append(KeyHasher.from_state_dir(tmp_path)("x"))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(names) == 8
    assert len(set(names)) == 1


def key_file(folder: Path) -> Path:
    KeyHasher.from_state_dir(folder)
    (file,) = folder.iterdir()
    return file


@pytest.mark.parametrize("planted", ["to a file", "dangling"])
def test_a_planted_link_is_refused(tmp_path: Path, planted: str) -> None:
    """E8: a link would have us read or write somebody else's file."""
    file = key_file(tmp_path)
    target = tmp_path.parent / f"{tmp_path.name}-elsewhere"
    if planted == "to a file":
        file.rename(target)
    else:
        file.unlink()
    file.symlink_to(target)
    with pytest.raises(ConfigurationError, match=r"state_dir.*symbolic link"):
        KeyHasher.from_state_dir(tmp_path)
    assert target.exists() == (planted == "to a file")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_key_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    """Whoever reads the key can guess addresses."""
    key_file(tmp_path).chmod(mode)
    with pytest.raises(ConfigurationError, match="open to others"):
        KeyHasher.from_state_dir(tmp_path)


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_key_of_another_size_is_refused(tmp_path: Path, size: int) -> None:
    """A half-written key is waited for a second, then named."""
    key_file(tmp_path).write_bytes(b"k" * size)
    clock = FakeClock()
    with pytest.raises(ConfigurationError, match="not a key"):
        KeyHasher.from_state_dir(tmp_path, clock)
    assert clock.monotonic() == pytest.approx(1)


def test_a_folder_that_cannot_be_used_is_a_configuration_error(tmp_path: Path) -> None:
    """A file where the folder should be: one clear line."""
    blocked = tmp_path / "file"
    blocked.touch()
    with pytest.raises(ConfigurationError, match="state_dir"):
        KeyHasher.from_state_dir(blocked)
