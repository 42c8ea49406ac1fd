"""The smallest target: takes every stream, appends what it applied to a file."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, ClassVar

from target_kit.cli import run
from target_kit.errors import ConfigurationError
from target_kit.singer import Intake, KitTarget, StreamInfo


class ExampleTarget(KitTarget):
    """Writes applied records to `output`, one JSON object a line, faulty ones excepted."""

    name = "target-example"
    config_jsonschema: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "state_dir": {"type": "string"},
            "output": {"type": "string"},
            "api_key": {"type": "string", "writeOnly": True},
            "batch": {"type": "integer", "default": 1000},
            "pause_seconds": {"type": "number", "default": 0},
            "blow_up": {"type": "string", "description": "thread | main: fail with a record"},
        },
        "required": ["state_dir", "output"],
    }

    @property
    def spool_dir(self) -> Path:
        return Path(self.config["state_dir"]) / "spool"

    def check_stream(self, info: StreamInfo) -> bool:
        if info.name == "forbidden":
            raise ConfigurationError(f"stream {info.name} is not configured")
        self._note(f"schema {info.name} {','.join(info.schema['properties'])}")
        return info.name != "ignored"

    def connection_check(self) -> None:
        self._note("ping")

    def consume(self, intake: Intake) -> None:
        if how := self.config.get("blow_up"):
            blow_up(how, intake)
        self._note(f"consume marker={intake.marker} error={type(intake.input_error).__name__}")
        with Path(self.config["output"]).open("ab") as out:
            for stream in intake.spool.streams():
                after = 0
                while rows := intake.spool.records(stream, after=after, limit=self.config["batch"]):
                    self.stop.check()
                    for row in rows:
                        if row.fault is None:
                            out.write(row.body + b"\n")
                        else:
                            self._note(f"reject line {row.line} {row.fault}")
                    out.flush()
                    os.fsync(out.fileno())
                    after = rows[-1].seq
                    if len(intake.spool.streams()) == 1:
                        intake.close_through(after)
                    time.sleep(float(self.config["pause_seconds"]))
        intake.close_through(intake.spool.last_seq())

    def _note(self, text: str) -> None:
        with (Path(self.config["output"]).parent / "notes.txt").open("a") as notes:
            notes.write(text + "\n")


def blow_up(how: str, intake: Intake) -> None:
    """Fail the way a bug does: with a record in the text of the exception."""

    def fail() -> None:
        raise KeyError(intake.spool.records("contacts")[0].body)

    if how == "thread":
        import threading

        thread = threading.Thread(target=fail)
        thread.start()
        thread.join()
    else:
        fail()


if __name__ == "__main__":
    run(ExampleTarget)
