"""The rows of a journal that tell what the list has: before it is touched, or just now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from target_optimizely.rows import Rows, Values, encode

StoredRecipient = tuple[str, str, Values]
"""Recipient id, address, values in the order of the snapshot's names."""


class StoredRows(Rows):
    """What the list holds: before it is touched (`stored`), or just now (`present`)."""

    def replace(self, pages: Iterable[Sequence[StoredRecipient]]) -> None:
        """Take in the list, page by page; what was here before is forgotten."""
        self._db.execute(f"DELETE FROM {self.table}")
        for page in pages:
            self._db.many(
                f"INSERT OR IGNORE INTO {self.table} (recipient_id, address, pattern, vals)"
                " VALUES (?, ?, '', ?)",
                ((i, a, encode(values)) for i, a, values in page),
            )

    def adopt(self, other: StoredRows) -> None:
        """Take over what `other` has, at once; nothing is left there."""
        with self._db.commit() as connection:
            connection.execute(f"DELETE FROM {self.table}")
            connection.execute(f"INSERT INTO {self.table} SELECT * FROM {other.table}")
            connection.execute(f"DELETE FROM {other.table}")

    def surplus(self, *, suppressed: bool) -> list[str]:
        """Ids that don't belong into the list any more: those of suppressed rows, or the others."""
        verb = "IN" if suppressed else "NOT IN"
        return [
            key
            for (key,) in self._db.rows(
                f"SELECT recipient_id FROM {self.table} WHERE recipient_id NOT IN (SELECT"
                " recipient_id FROM wanted WHERE outcome IS NULL OR outcome IN ('applied',"
                " 'unchanged'))"
                f" AND recipient_id {verb} (SELECT recipient_id FROM wanted WHERE outcome ="
                " 'suppressed') ORDER BY pos"
            )
        ]
