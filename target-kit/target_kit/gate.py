"""STATE may pass a record only when that record and all before it have a durable outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping


class StateGate:
    """Knows, for every stream of a run, the first record still open.

    Streams are worked off one after the other while their messages came interleaved: what is done
    of one stream says nothing of another, so the lowest open record of all decides.
    """

    def __init__(
        self, first_seqs: Mapping[str, int], last_seq: int, close_through: Callable[[int], None]
    ) -> None:
        self._open = dict(first_seqs)
        self._last_seq = last_seq
        self._close_through = close_through

    def advance(self, stream: str, first_open: int | None) -> None:
        """`stream` is durable up to before `first_open` (None: all of it)."""
        if first_open is None:
            self._open.pop(stream, None)
        else:
            self._open[stream] = first_open
        self._close_through(min(self._open.values(), default=self._last_seq + 1) - 1)
