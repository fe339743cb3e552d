"""A `config.toml` made by `init`: every key with what it means, set only where it differs."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Any

from .config_values import KEYS, TABLES, Key, as_toml

_HEAD = """\
# Written by pipeduck init. Keys behind a # have the value that is shown; docs/configuration.md
# tells more. The environment wins over this file: page_size under [sources.pipedrive] is
# SOURCES__PIPEDRIVE__PAGE_SIZE. The API token and other secrets stand in .dlt/secrets.toml.
# Paths are relative to this file.
"""
_COLUMNS = "\n".join(f"# [transforms.columns.{table}]" for table in TABLES)
_TAIL = f"""\
# Column names of your own, "<key of the custom field>" = "cf_budget", below one of these:
{_COLUMNS}

[runtime] # dlt's own
dlthub_telemetry = false
"""


def config_text(values: Mapping[str, Any]) -> str:
    """The file, with these typed values by dotted name. Secrets have no line."""
    sections = groupby(
        (name for name, key in KEYS.items() if not key.is_secret),
        lambda name: name.rpartition(".")[0],
    )
    text = [_HEAD]
    for section, names in sections:
        lines = [_line(name, KEYS[name], values) for name in names]
        text.append(f"[{section}]\n{''.join(lines)}")
    return "\n".join([*text, _TAIL])


def _line(name: str, key: Key, values: Mapping[str, Any]) -> str:
    value = values.get(name, key.default)
    mark = "# " if value == key.default else ""
    short = name.rpartition(".")[2]
    return f"# {key.meaning}\n{mark}{short} = {as_toml(value)}\n"
