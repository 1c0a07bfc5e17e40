"""What a person chooses at setup and need not say again: kept in the state, where every step finds it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass

_ON, _OFF = "on", "off"


@dataclass(frozen=True)
class Switch:
    """`key` in the state, `--key` and `--no-key` on the command line; `default` holds until one of them was said."""

    key: str
    help: str
    default: bool

    def is_on(self, resources: Mapping[str, str]) -> bool:
        return resources.get(self.key, _ON if self.default else _OFF) == _ON


ALARMS = Switch("alarms", "a dashboard, and alarms for what needs a person (default: on)", default=True)
CAPTURE_FACTS = Switch(
    "public-capture-facts", "let the gallery show when and with what a picture was taken (default: off)", default=False
)
SNAPSTART = Switch(
    "snapstart", "start the gallery's API from a snapshot, for some $2 a month (default: off)", default=False
)
SWITCHES = (ALARMS, CAPTURE_FACTS, SNAPSTART)


def add_switches(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("switches, remembered until they are said again")
    for switch in SWITCHES:
        group.add_argument(f"--{switch.key}", action=argparse.BooleanOptionalAction, default=None, help=switch.help)


def remember_switches(arguments: argparse.Namespace, resources: MutableMapping[str, str]) -> None:
    """Keep what was said; what was not stays as it is."""
    for switch in SWITCHES:
        said = getattr(arguments, switch.key.replace("-", "_"))
        if said is not None:
            resources[switch.key] = _ON if said else _OFF
