"""Reads one export of the closed loop: windows, pages, header rows, columns, rows seen before.

Export files appear when the vendor's jobs have run, once a day unless agreed otherwise: nothing new
is a normal state (S1-36). Each row comes once in a run, and rows delivered by the run before do not
come again while the overlap is read.
"""

from __future__ import annotations

from collections.abc import Iterator

from tap_optimizely.bookmarks import Bookmark, Window, advance, digest, windows
from tap_optimizely.errors import LayoutError, VendorError
from tap_optimizely.exports import Export
from tap_optimizely.layouts import ExportSettings
from tap_optimizely.paging import Restless, all_rows
from tap_optimizely.records import Row, fallback_names, normal
from tap_optimizely.settings import Settings
from tap_optimizely.timestamps import from_ms
from tap_optimizely.vendor import Vendor


class ExportReader:
    """One fetch of one export, up to `until_ms` on the vendor's clock."""

    def __init__(
        self,
        vendor: Vendor,
        export: Export,
        settings: Settings,
        bookmark: Bookmark,
        *,
        until_ms: int,
        key: bytes,
    ) -> None:
        self.export = export
        self.layout: ExportSettings = settings.exports[export.name]
        self.met_rows = 0
        self.new_rows = 0
        self._vendor = vendor
        self._page_size = settings.page_size_rows
        self._overlap = settings.overlap
        self._before = bookmark
        self._until_ms = until_ms
        self._key = key
        self._width = None if self.layout.columns else bookmark.width
        self._windows = windows(
            bookmark.since or settings.start, from_ms(until_ms), settings.overlap
        )
        self._met: set[bytes] = set()
        self._recent: set[bytes] = set()
        self._headers: set[Row] = set()

    def names(self) -> tuple[str, ...]:
        """The names of the columns: agreed, or numbered as many as there are.

        Without agreed names and a run before, the first row is read to count them.
        """
        if self.layout.columns is not None:
            return self.layout.columns
        if self._width is None:
            self._width = self._count_columns()
        return fallback_names(self._width or 0)

    def rows(self) -> Iterator[Row]:
        """Yield the rows that are new.

        Raises:
            LayoutError: a row has another number of columns than agreed or met before.
        """
        if not self.names():
            return  # nothing to read yet; a file that appears right now is the next run's
        for window in self._windows:
            for row in self._window_rows(window):
                self.met_rows += 1
                self._check_width(row)
                name = digest(self._key, row)
                if window.recent:
                    self._recent.add(name)
                if name not in self._met:
                    self._met.add(name)
                    if name not in self._before.seen:
                        self.new_rows += 1
                        yield row

    def bookmark_after(self) -> Bookmark:
        """The bookmark, once all rows are out."""
        return advance(
            self._before,
            self._until_ms,
            self._overlap,
            self._width,
            self._recent,
            news=self.new_rows > 0,
        )

    def _window_rows(self, window: Window) -> Iterator[Row]:
        def fetch(start: int, count: int) -> list[Row]:
            rows = self._vendor.export_rows(
                self.export.operation, window.since, window.until, start, count
            )
            page = [normal(row) for row in rows]
            # Files are joined, so the header of each may stand anywhere behind the first one.
            self._headers.update(page[: max(0, self.layout.header_rows - start)])
            return page

        try:
            for row in all_rows(fetch, self._page_size):
                if row not in self._headers:
                    yield row
        except Restless:
            moved = True
        else:
            moved = False
        if moved:
            raise VendorError(f"{self.export.name}: the export changes while it is read; run again")

    def _count_columns(self) -> int | None:
        for window in self._windows:
            rows = self._vendor.export_rows(self.export.operation, window.since, window.until, 0, 1)
            if rows:
                return len(rows[0])
        return None

    def _check_width(self, row: Row) -> None:
        agreed = self.layout.columns
        if agreed is not None and len(row) != len(agreed):
            raise LayoutError(
                f"{self.export.name}: {len(agreed)} columns expected by columns."
                f"{self.export.name}, {len(row)} found; agree on the layout anew"
            )
        if self._width is None:
            self._width = len(row)
        if len(row) != self._width:
            raise LayoutError(
                f"{self.export.name}: {self._width} columns expected as read before, {len(row)} "
                f"found; look at the export and name them in columns.{self.export.name}"
            )
