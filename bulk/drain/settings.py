"""What to drain and how: flags over the environment over `config/.env`."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from cli.credentials import setting
from cli.exits import CommandError

WHERE = "as a flag, in the environment or in config/.env (see config/.env.sample)"
WHOLE_BUCKET = "*"
_WILDCARD = re.compile(r"[*?]")
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9}
_TIMES = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_OLDEST = timedelta(days=36_500)


@dataclass(frozen=True)
class Search:
    """Which keys: those that begin with `prefix` and, where there is a pattern, match it as a whole."""

    prefix: str
    pattern: re.Pattern[str] | None

    @classmethod
    def of(cls, text: str) -> Search:
        """A prefix; with `*` (any text, slashes too) or `?` (any one character) in it, a pattern."""
        wildcard = _WILDCARD.search(text)
        if not wildcard:
            return cls(text, None)
        parts = ({"*": ".*", "?": "."}.get(char, re.escape(char)) for char in text)
        return cls(text[: wildcard.start()], re.compile("".join(parts), re.DOTALL))

    def matches(self, key: str) -> bool:
        return self.pattern is None or self.pattern.fullmatch(key) is not None


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The four names of the configuration, checked."""

    bucket_name: str
    path_to_search: Search
    local_base_path: Path
    processed_path: Path | None

    @classmethod
    def of(cls, arguments: argparse.Namespace, environ: Mapping[str, str], env_file: Mapping[str, str]) -> Wanted:
        """CommandError that names the variable, its value and the cure."""
        wanted = cls(
            bucket_name=_required("bucket_name", arguments, environ, env_file),
            path_to_search=Search.of(_required("path_to_search", arguments, environ, env_file)),
            local_base_path=Path(_required("local_base_path", arguments, environ, env_file)).expanduser().resolve(),
            processed_path=_folder(_value("processed_path", arguments, environ, env_file)),
        )
        wanted._check()
        return wanted

    def _check(self) -> None:
        base, processed = self.local_base_path, self.processed_path
        if base.exists() and not base.is_dir():
            raise CommandError(f"local_base_path={base} is no folder: name one, it is made if it is not there")
        if processed and not processed.is_dir():
            text = f"processed_path={processed} is no folder: name the one where processed objects are, or none"
            raise CommandError(text)
        if processed == base:
            text = f"processed_path={processed} is local_base_path, too: everything in it would count as processed"
            raise CommandError(f"{text}. Name two folders")


def _required(name: str, arguments: argparse.Namespace, environ: Mapping[str, str], env_file: Mapping[str, str]) -> str:
    value = _value(name, arguments, environ, env_file)
    if value:
        return value
    example = f"; {WHOLE_BUCKET!r} is the whole bucket" if name == "path_to_search" else ""
    raise CommandError(f"{name} is not set: give it {WHERE}{example}")


def _value(
    name: str, arguments: argparse.Namespace, environ: Mapping[str, str], env_file: Mapping[str, str]
) -> str | None:
    given: str | None = getattr(arguments, name)
    return given or setting(environ, name.upper()) or setting(env_file, name.upper())


def _folder(text: str | None) -> Path | None:
    return Path(text).expanduser().resolve() if text else None


def byte_rate(text: str) -> float:
    """`500k`, `20MB` or `1.5G`: bytes a second."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([KMG]?)B?(?:/s)?", text, re.IGNORECASE)
    if found and float(found[1]) > 0:
        return float(found[1]) * _UNITS[found[2].upper()]
    raise argparse.ArgumentTypeError(f"{text!r} must be bytes a second above 0, for example 20MB or 500k")


def age(text: str) -> timedelta:
    """`30m`, `12h`, `7d` or `2w`."""
    found = re.fullmatch(r"(\d{1,6})([mhdw])", text)
    passed = timedelta(**{_TIMES[found[2]]: int(found[1])}) if found else None
    if passed is None or passed > _OLDEST:
        raise argparse.ArgumentTypeError(f"{text!r} must be a number with m, h, d or w, for example 12h or 7d")
    return passed


def worker_count(text: str) -> int:
    if text.isdecimal() and 0 < int(text) <= 256:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} must be a whole number from 1 to 256")


def quarantine_prefix(text: str) -> str:
    if text.strip("/"):
        return text if text.endswith("/") else f"{text}/"
    raise argparse.ArgumentTypeError(f"{text!r} must be a prefix that ends with a slash, for example quarantine/")
