"""What the kit takes from singer-sdk: its standard tests pass, its inner names are still there."""

from __future__ import annotations

import atexit
import inspect
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Any

import pytest
from intake.example_target import ExampleTarget
from jsonschema import Draft202012Validator, FormatChecker
from singer_sdk import Target, plugin_base, target_base
from singer_sdk.configuration import _dict_config
from singer_sdk.mapper import PluginMapper, SameRecordTransform
from singer_sdk.sinks.core import JSONSchemaValidator, Sink
from singer_sdk.testing import get_target_test_class
from singer_sdk.testing.suites import target_tests
from singer_sdk.typing import DEFAULT_JSONSCHEMA_VALIDATOR
from target_kit.errors import StopRun
from target_kit.singer import KitTarget
from target_kit.validation import SDC_FIELDS

# Name of a standard test that doesn't fit, and why. Printed by the test below.
EXCLUDED: dict[str, str] = {}

FOLDER = tempfile.mkdtemp(prefix="standard-tests-")
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)
TestExampleTarget: Any = get_target_test_class(
    ExampleTarget, config={"state_dir": FOLDER, "output": f"{FOLDER}/applied.jsonl"}
)


def test_every_standard_test_is_run_or_excluded_with_a_reason(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """None is lost when the SDK adds one."""
    names = {test.name for test in target_tests.tests}
    run = {name.removeprefix("test_target_") for name in dir(TestExampleTarget) if "test_" in name}
    with capsys.disabled():
        print(f"\nstandard target tests: {len(names - set(EXCLUDED))} run, excluded: {EXCLUDED}")
    assert set(EXCLUDED) <= names
    assert {name for name in names if not any(name in one for one in run)} == set(EXCLUDED)


def test_the_sdk_still_has_the_names_the_kit_builds_on() -> None:
    """A change of the SDK must be seen here, not in production."""
    assert "self._setup_signal_handlers()" in inspect.getsource(plugin_base.PluginBase.__init__)
    assert "self._validate_config(" in inspect.getsource(plugin_base.PluginBase.__init__)
    assert "self._env_var_config" in inspect.getsource(plugin_base.PluginBase.__init__)
    assert "self.message_reader.process_lines(" in inspect.getsource(Target.process_lines)
    listen = inspect.getsource(Target.listen)
    assert listen.index("self.process_lines(") < listen.index("self.process_endofpipe()")
    assert "callback=cls.invoke" in inspect.getsource(plugin_base.PluginBase.get_singer_command)
    assert "callback=cls.cb_config" in inspect.getsource(plugin_base.PluginBase.get_singer_command)
    assert list(inspect.signature(_dict_config.parse_environment_config).parameters)[:2] == [
        "config_schema",
        "prefix",
    ]
    assert ExampleTarget._env_var_prefix == "TARGET_EXAMPLE_"
    assert "append_builtin_config(config_jsonschema)" in inspect.getsource(
        Target.append_builtin_config
    )
    assert "stream_maps[source_stream].append(mapper)" in inspect.getsource(PluginMapper)
    assert isinstance(SameRecordTransform.flattening_enabled, property)


def test_the_kit_overrides_the_sdk_where_it_must() -> None:
    """Signals, message loop and settings are ours."""
    for name in ("_setup_signal_handlers", "_validate_config", "process_endofpipe", "invoke"):
        assert getattr(KitTarget, name) is not getattr(target_base.Target, name)


def test_the_sdk_still_validates_as_the_kit_does() -> None:
    """Draft, format checks and metadata columns."""
    assert DEFAULT_JSONSCHEMA_VALIDATOR is Draft202012Validator
    stock = JSONSchemaValidator({"properties": {}})
    assert type(stock.validator) is Draft202012Validator
    assert stock.validator.format_checker is not None
    assert stock.validator.format_checker.checkers == FormatChecker(formats=()).checkers == {}
    source = inspect.getsource(Sink._remove_sdc_metadata_from_record)
    assert [line.split('"')[1] for line in source.splitlines() if "record.pop" in line] == list(
        SDC_FIELDS[:4]
    ) + list(SDC_FIELDS[4:])


def test_two_targets_do_not_share_their_settings() -> None:
    """The SDK writes into `config_jsonschema`: each class has its own."""

    class Other(ExampleTarget):
        name = "target-other"

    Other.append_builtin_config(Other.config_jsonschema)
    assert Other.config_jsonschema is not ExampleTarget.config_jsonschema
    Other.config_jsonschema["properties"]["more"] = {}
    assert "more" not in ExampleTarget.config_jsonschema["properties"]


def test_making_a_target_touches_no_signal_handler(tmp_path: Path) -> None:
    """Only the command line installs one; a bad setting is the kit's error."""
    before = signal.getsignal(signal.SIGTERM)
    ExampleTarget(config={"state_dir": str(tmp_path), "output": "x"})
    assert signal.getsignal(signal.SIGTERM) is before
    with pytest.raises(StopRun, match="output missing"):
        ExampleTarget(config={"state_dir": str(tmp_path)})
