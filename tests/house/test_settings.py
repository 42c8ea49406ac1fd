"""Settings say the same in --about, README, plugin.yaml and meltano.yml."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import pytest
import yaml
from house_support import PLUGINS, ROOT, load_tool

settings = load_tool("settings")
#: Settings that the SDK adds to every plugin; Meltano knows them by the plugin's capabilities.
BUILT_IN = re.compile(
    "stream_map|faker_config|flattening_|validate_records|add_record_metadata|load_method|batch_"
    "|emit_activate|use_singer_decimal"
)
SECRET_WORDS = re.compile(
    r"key$|token|username|password|secret|database_url|ledger_url|rate_limit_url"
)


@cache
def about(plugin: str) -> dict[str, Any]:
    """`--about` of one plugin, asked once."""
    described: dict[str, Any] = settings.about(plugin)
    return described


def definition(plugin: str) -> dict[str, Any]:
    """The plugin's plugin.yaml."""
    text = (ROOT / plugin / "plugin.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def in_project(plugin: str) -> dict[str, Any]:
    """The plugin's entry in meltano.yml."""
    project = yaml.safe_load((ROOT / "meltano.yml").read_text(encoding="utf-8"))
    kinds = project["plugins"].values()
    entry: dict[str, Any] = next(p for kind in kinds for p in kind if p["name"] == plugin)
    return entry


@pytest.mark.parametrize("plugin", PLUGINS)
def test_the_readme_table_is_what_about_says(plugin: str) -> None:
    """Name, type, default and meaning of each setting in the README come from --about."""
    readme = (ROOT / plugin / "README.md").read_text(encoding="utf-8")
    assert settings.table_in(readme, plugin) == settings.table(about(plugin))


@pytest.mark.parametrize("plugin", PLUGINS)
def test_plugin_yaml_declares_every_setting(plugin: str) -> None:
    """plugin.yaml lists the settings of --about with kind and sensitivity."""
    declared = {
        s["name"]: (s["kind"], s.get("sensitive", False)) for s in definition(plugin)["settings"]
    }
    expected = {
        s["name"]: (s["kind"], s.get("sensitive", False))
        for s in settings.meltano_settings(about(plugin))
        if s["name"] in declared or not BUILT_IN.match(s["name"])
    }
    assert declared == expected


@pytest.mark.parametrize("plugin", PLUGINS)
def test_meltano_yml_declares_the_same(plugin: str) -> None:
    """The project declares each own setting as plugin.yaml does, and nothing else."""

    def brief(listed: list[dict[str, Any]]) -> dict[str, tuple[str, bool]]:
        return {
            s["name"]: (s["kind"], s.get("sensitive", False))
            for s in listed
            if not BUILT_IN.match(s["name"])
        }

    assert brief(in_project(plugin)["settings"]) == brief(definition(plugin)["settings"])


@pytest.mark.parametrize("plugin", PLUGINS)
def test_every_secret_is_marked(plugin: str) -> None:
    """What sounds like a secret is secret in --about and sensitive for Meltano."""
    for name, schema in about(plugin)["settings"]["properties"].items():
        assert bool(SECRET_WORDS.search(name)) == bool(schema.get("secret")), name
    for setting in definition(plugin)["settings"] + in_project(plugin)["settings"]:
        secret = bool(SECRET_WORDS.search(setting["name"]))
        assert (setting["kind"] == "password") == secret, setting["name"]
        assert setting.get("sensitive", False) == secret, setting["name"]


@pytest.mark.parametrize("plugin", PLUGINS)
def test_no_setting_is_of_the_kind_that_breaks(plugin: str) -> None:
    """Meltano 4.4 fails on `decimal` from the environment, so no setting is of that kind."""
    for setting in definition(plugin)["settings"] + in_project(plugin)["settings"]:
        assert setting["kind"] != "decimal", setting["name"]


@pytest.mark.parametrize("plugin", PLUGINS)
def test_each_setting_has_a_title_and_a_description(plugin: str) -> None:
    """Nobody has to guess what a setting does."""
    for name, schema in about(plugin)["settings"]["properties"].items():
        assert schema.get("description"), name
