"""Settings in documents, made from `--about`: `python tools/settings.py target-activecampaign`.

Writes the table between the markers `<!-- settings: NAME -->` and `<!-- end of settings -->` of
the plugin's README, and the `settings:` of its `plugin.yaml`. The tests in `tests/house` compare
all of them with `--about`, so a forgotten run shows.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
#: Meltano's kinds. Fractions come only from meltano.yml: its `decimal` breaks on values from the
#: environment (Meltano 4.4), so numbers are `integer` there.
KINDS = {
    "string": "string",
    "integer": "integer",
    "number": "integer",
    "boolean": "boolean",
    "array": "array",
    "object": "object",
}


def about(plugin: str) -> dict[str, Any]:
    """What `<plugin> --about --format json` prints."""
    executable = Path(sys.executable).parent / plugin
    printed = subprocess.check_output([executable, "--about", "--format", "json"])  # noqa: S603  our own plugin
    described: dict[str, Any] = json.loads(printed)
    return described


def declared_type(schema: dict[str, Any]) -> str:
    """The one type of a setting beside null, for example "string"."""
    declared = schema.get("type", "object")
    names = [declared] if isinstance(declared, str) else declared
    return next(str(name) for name in names if name != "null")


def meltano_settings(described: dict[str, Any]) -> list[dict[str, Any]]:
    """The settings as Meltano declares them; secrets are of kind password and sensitive."""
    settings = []
    for name, schema in described["settings"]["properties"].items():
        setting: dict[str, Any] = {"name": name, "kind": KINDS[declared_type(schema)]}
        if schema.get("secret"):
            setting |= {"kind": "password", "sensitive": True}
        elif "enum" in schema:
            options = [{"label": str(v), "value": v} for v in schema["enum"]]
            setting |= {"kind": "options", "options": options}
        if "title" in schema:
            setting["label"] = schema["title"]
        setting["description"] = schema.get("description", "")
        if schema.get("default") is not None:
            setting["value"] = schema["default"]
        settings.append(setting)
    return settings


def table(described: dict[str, Any]) -> str:
    """The settings as a Markdown table: name, type, default, what it does."""
    required = described["settings"].get("required", [])
    lines = ["| Setting | Type | Default | What it does |", "|---|---|---|---|"]
    for name, schema in described["settings"]["properties"].items():
        default = "required" if name in required else _shown(schema.get("default"))
        kind = declared_type(schema) + (", secret" if schema.get("secret") else "")
        text = " ".join(schema.get("description", "").split()).replace("|", "\\|")
        lines.append(f"| `{name}` | {kind} | {default} | {text} |")
    return "\n".join(lines) + "\n"


def _shown(default: Any) -> str:
    return "" if default is None else f"`{json.dumps(default)}`"


def table_in(readme: str, plugin: str) -> str | None:
    """The text between the markers of `plugin` in a README, None without markers."""
    found = re.search(
        rf"<!-- settings: {plugin} -->\n(.*?)<!-- end of settings -->", readme, re.DOTALL
    )
    return found.group(1) if found else None


def main(plugins: list[str]) -> None:
    """Rewrite README and plugin.yaml of each plugin where they have a place for it."""
    for plugin in plugins:
        described = about(plugin)
        readme = ROOT / plugin / "README.md"
        text = readme.read_text(encoding="utf-8")
        old = table_in(text, plugin)
        if old is not None:
            start, end = f"<!-- settings: {plugin} -->\n", "<!-- end of settings -->"
            new = start + table(described) + end
            readme.write_text(text.replace(start + old + end, new), encoding="utf-8")
        definition = ROOT / plugin / "plugin.yaml"
        if definition.exists():
            head = definition.read_text(encoding="utf-8").partition("settings:\n")[0]
            listed = yaml.safe_dump(
                {"settings": meltano_settings(described)}, sort_keys=False, allow_unicode=True
            )
            definition.write_text(head + listed, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
