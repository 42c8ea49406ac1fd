"""The kit's only door to singer-sdk: a `Target` that takes all input before it acts.

Kept of the SDK: command line, `--about`, settings, stream maps. Replaced: the message loop (fast,
spooled), sinks (a target gets the whole `Intake` instead), signal handlers (the SDK's publish half
a run and exit 0, meltano/sdk issue 3775), and every message that would print a record's values.
"""

from __future__ import annotations

import abc
import copy
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, ClassVar

import click
from singer_sdk import Target
from singer_sdk.configuration._dict_config import parse_environment_config
from singer_sdk.exceptions import (
    MapExpressionError,
    MissingKeyPropertiesError,
    RecordsWithoutSchemaException,
    StreamMapConfigError,
)
from singer_sdk.helpers._classproperty import classproperty
from singer_sdk.helpers.capabilities import TARGET_VALIDATE_RECORDS_CONFIG
from singer_sdk.io_base import SingerReader
from singer_sdk.mapper import PluginMapper, RemoveRecordTransform, SameRecordTransform
from singer_sdk.plugin_base import JSONSchemaValidator
from singer_sdk.singerlib.json import serialize_json

from target_kit.environment import as_in_a_file
from target_kit.errors import ConfigurationError, InputError
from target_kit.intake import (
    Doors,
    Intake,
    RecordBeforeSchema,
    RecordWithoutKey,
    Route,
    StreamInfo,
)
from target_kit.lines import MAX_LINE_BYTES, LineReader, binary_input
from target_kit.receiver import Receiver
from target_kit.settings_faults import describe_setting_fault
from target_kit.signals import StopSignal
from target_kit.spool import Spool

__all__ = ["Intake", "KitTarget", "StreamInfo"]

KIT_SETTINGS: dict[str, Any] = {
    "max_line_bytes": {
        "type": ["integer", "null"],
        "minimum": 1024,
        "default": MAX_LINE_BYTES,
        "title": "Longest message",
        "description": "Size in bytes above which a message of the input ends the run.",
    },
}


class _RecordBeforeSchema(RecordBeforeSchema, RecordsWithoutSchemaException):
    """The kit's error under the name the SDK's users know."""


class _RecordWithoutKey(RecordWithoutKey, MissingKeyPropertiesError):
    """The kit's error under the name the SDK's users know."""


class _KitReader(SingerReader):
    """Stands in the SDK's message loop: hands the whole input to the target at once."""

    def __init__(self, take: Callable[[IO[str] | None], Counter[str]]) -> None:
        super().__init__()
        self._take = take

    def process_lines(
        self,
        file_input: IO[str] | None,
        callbacks: dict[str, Callable[[dict[str, Any]], None]],  # noqa: ARG002 - the SDK's sinks
    ) -> Counter[str]:
        """Number of messages by type."""
        return self._take(file_input)


class KitTarget(Target, abc.ABC):
    """Base of our targets: settings, `check_stream`, `connection_check`, `consume`."""

    config_jsonschema: ClassVar[dict[str, Any]] = {"type": "object", "properties": {}}
    #: Commands for operators, `<executable> NAME …`: each makes its click command with `stop`.
    commands: ClassVar[Mapping[str, Callable[[StopSignal], click.Command]]] = {}
    stop: StopSignal

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Give each class its own settings schema: the SDK writes into it."""
        super().__init_subclass__(**kwargs)
        schema = copy.deepcopy(cls.config_jsonschema)
        schema["properties"] = {**schema.get("properties", {}), **copy.deepcopy(KIT_SETTINGS)}
        cls.config_jsonschema = schema

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.message_reader = _KitReader(self._take)
        self._receiver: Receiver | None = None
        self._begun = False

    @property
    @abc.abstractmethod
    def spool_dir(self) -> Path:
        """Folder of the spool, `state_dir/spool`."""

    @abc.abstractmethod
    def check_stream(self, info: StreamInfo) -> bool:
        """At each new or changed SCHEMA: spool its records (True) or ignore them (False).

        Raises `ConfigurationError` when the stream can't be taken.
        """

    def begin(self) -> None:
        """Once, at the first SCHEMA of a real stream or else at the end of an empty input.

        For what an earlier run left half done: it comes before any of the new input is read, and a
        signal waits until it is through. Not called by `meltano config test`.
        """

    @abc.abstractmethod
    def connection_check(self) -> None:
        """`meltano config test`: prove that the destination answers; no write."""

    @abc.abstractmethod
    def consume(self, intake: Intake) -> None:
        """Work through `intake`, once, after the end of input.

        Calls `intake.close_through` where records are durable and `self.stop.check()` between
        steps. With `intake.input_error` set, what came before it is there to be worked through;
        the error is raised afterwards.
        """

    # --- the SDK's hooks ---

    def _setup_signal_handlers(self) -> None:
        """Replace the SDK's; `target_kit.cli.run` installs the handler of the process."""
        self.stop = StopSignal()

    def setup_mapper(self) -> None:
        """The SDK's mapper, on a copy of the settings: it takes entries out of them."""
        try:
            self._mapper = PluginMapper(
                plugin_config=copy.deepcopy(dict(self.config)), logger=self.logger
            )
        except StreamMapConfigError as error:
            raise ConfigurationError(f"setting stream_maps: {error}") from None

    @classmethod
    def append_builtin_config(cls, config_jsonschema: dict[str, Any]) -> None:
        """Only the SDK's settings that mean something here (no load_method, no batch size)."""
        for name, value in TARGET_VALIDATE_RECORDS_CONFIG["properties"].items():
            config_jsonschema["properties"].setdefault(name, value)
        super(Target, cls).append_builtin_config(config_jsonschema)

    @classproperty
    def _env_var_config(cls) -> dict[str, Any]:  # noqa: N805 - a property of the class
        """As the SDK's, in the shape of a settings file."""
        return as_in_a_file(super()._env_var_config, cls.config_jsonschema["properties"])

    def _validate_config(self, *, raise_errors: bool = True) -> list[str]:
        """Name every setting that doesn't fit, never its value."""
        schema = self.config_jsonschema
        self.append_builtin_config(schema)
        try:
            found = list(JSONSchemaValidator(schema).iter_errors(self._config))
        except Exception as error:  # noqa: BLE001 - the SDK's own schema of stream_maps can trip
            raise ConfigurationError(
                f"settings: can't be checked ({type(error).__name__}); look at stream_maps"
            ) from None
        errors = sorted({describe_setting_fault(error) for error in found})
        if errors and raise_errors:
            raise ConfigurationError("; ".join(errors))
        return errors

    def _take(self, file_input: IO[str] | None) -> Counter[str]:
        if file_input is None and sys.stdin is None:
            raise InputError("there is no standard input")
        source = binary_input(file_input or sys.stdin)
        receiver = Receiver(
            Intake(Spool.create(self.spool_dir)),
            Doors(
                routes=self._routes,
                check_stream=self._check_stream,
                encode=lambda record: serialize_json(record).encode(),
                validate=self.config.get("validate_records", True),
            ),
        )
        limit = self.config.get("max_line_bytes") or MAX_LINE_BYTES
        try:
            with self.stop.interruptible():
                receiver.receive(LineReader(source, max_line_bytes=limit))
        except BaseException:
            receiver.intake.spool.close()
            raise
        self._receiver = receiver
        return receiver.counts

    def read_input(self, file_input: IO[str]) -> Intake:
        """A whole input, for a command that does something else with it than a run; the caller
        closes its spool. Raises InputError.
        """
        self._begun = True  # nothing is begun: this is no run
        self._take(file_input)
        receiver, self._receiver = self._receiver, None
        if receiver is None:
            raise InputError("there is no standard input")
        if receiver.intake.input_error:
            raise receiver.intake.input_error
        return receiver.intake

    def _check_stream(self, info: StreamInfo) -> bool:
        self._begin()
        return self.check_stream(info)

    def _begin(self) -> None:
        if self._begun:
            return
        self._begun = True
        with self.stop.deferred():
            self.begin()

    def process_endofpipe(self) -> None:
        """Work through the intake, then report what was wrong with the input."""
        receiver, self._receiver = self._receiver, None
        if receiver is None:
            return
        intake = receiver.intake
        try:
            if receiver.connection_test:
                self.connection_check()
            if intake.streams or not receiver.connection_test:
                self._begin()
                self.consume(intake)
        finally:
            intake.spool.close()
        if intake.input_error is not None:
            raise _as_sdk(intake.input_error)

    def _routes(self, stream: str, schema: dict[str, Any], keys: list[str] | None) -> list[Route]:
        """The SDK's stream maps as routes."""
        try:
            self.mapper.register_raw_stream_schema(stream, schema, keys)
        except (StreamMapConfigError, MapExpressionError) as error:
            raise ConfigurationError(f"setting stream_maps: {error}") from None
        routes = []
        for stream_map in self.mapper.stream_maps[stream]:
            if isinstance(stream_map, RemoveRecordTransform):
                continue
            same = type(stream_map) is SameRecordTransform and not stream_map.flattening_enabled
            routes.append(
                Route(
                    stream_map.stream_alias,
                    stream_map.transformed_schema,
                    tuple(stream_map.transformed_key_properties or ()),
                    None if same else stream_map.transform,
                )
            )
        return routes

    @classmethod
    def cb_config(cls, ctx: click.Context, param: click.Option, value: tuple[str, ...]) -> Any:
        """As the SDK's; what can't be read is named by position, as it may hold a secret."""
        try:
            return super().cb_config(ctx, param, value)
        except FileNotFoundError:
            raise ConfigurationError("--config: no such file") from None
        except OSError as error:
            raise ConfigurationError(f"--config: {error.strerror}") from None
        except (TypeError, ValueError) as error:
            line, column = getattr(error, "lineno", None), getattr(error, "colno", None)
            what = f"no JSON at line {line} column {column}" if line else "no JSON object"
            raise ConfigurationError(f"--config: {what}") from None

    @classmethod
    def _check_environment(cls) -> None:
        """Name the setting whose environment variable can't be read; the SDK prints its value."""
        schema = copy.deepcopy(cls.config_jsonschema)
        cls.append_builtin_config(schema)
        for name, part in schema["properties"].items():
            try:
                parse_environment_config({"properties": {name: part}}, cls._env_var_prefix)
            except ValueError:
                raise ConfigurationError(
                    f"setting {name}: its environment variable doesn't fit its type"
                ) from None

    @classmethod
    def invoke(  # type: ignore[override]
        cls,
        *,
        about: bool = False,
        about_format: str | None = None,
        config: Any = None,
        file_input: IO[str] | None = None,
        stop: StopSignal | None = None,
    ) -> None:
        """Body of the command line: as the SDK's, with the process's own `stop`."""
        if about:
            cls.print_about(about_format)
            return
        cls.print_version(print_fn=cls.logger.info)
        if config and config.parse_env:
            cls._check_environment()
        target = cls(
            config=config.config if config else {},
            validate_config=True,
            parse_env_config=bool(config and config.parse_env),
        )
        target.stop = stop or target.stop
        target.listen(file_input)


def _as_sdk(error: InputError) -> InputError:
    if isinstance(error, RecordBeforeSchema):
        return _RecordBeforeSchema(str(error))
    if isinstance(error, RecordWithoutKey):
        return _RecordWithoutKey(str(error))
    return error
