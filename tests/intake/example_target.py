"""The smallest target: takes every stream, appends what it applied to a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar

from target_kit.cli import run
from target_kit.singer import Intake, KitTarget, StreamInfo


class ExampleTarget(KitTarget):
    """Writes applied records to `output`."""

    name = "target-example"
    config_jsonschema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "state_dir": {"type": "string"},
            "output": {"type": "string"},
        },
        "required": ["state_dir", "output"],
    }

    @property
    def spool_dir(self) -> Path:
        return Path(self.config["state_dir"]) / "spool"

    def check_stream(self, info: StreamInfo) -> bool:
        return True

    def connection_check(self) -> None:
        Path(self.config["output"]).write_text("pong\n")

    def consume(self, intake: Intake) -> None:
        with Path(self.config["output"]).open("ab") as out:
            for stream in intake.spool.streams():
                after = 0
                while rows := intake.spool.records(stream, after=after):
                    for row in rows:
                        self.stop.check()
                        out.write(row.body + b"\n")
                    after = rows[-1].seq
            out.flush()
            os.fsync(out.fileno())
        intake.close_through(intake.spool.last_seq())


if __name__ == "__main__":
    run(ExampleTarget)
