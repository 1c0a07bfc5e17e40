"""Writes THIRD_PARTY_NOTICES from the wheels that go into the zip, and from the requirements of the other programs."""

from __future__ import annotations

import argparse
import re
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import Parser
from importlib.metadata import distribution
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pipeline.settings import ROOT
from setup_scripts import package

TARGET = ROOT / "THIRD_PARTY_NOTICES"
PROGRAMS = ("requirements.txt", "bulk/requirements.txt", "imageservice/requirements.txt")
PINNED = re.compile(r"^([\w.-]+)(?:\[\w+\])?==([\w.]+)", re.MULTILINE)
LICENCE_FILE = re.compile(r"licen[cs]e|copying|notice", re.IGNORECASE)
COPYRIGHT = re.compile(r"^\s*Copyright\s+((?:\(c\)|©)?\s*(?:by )?\d{4}.*)", re.IGNORECASE)
RESERVED = re.compile("all rights reserved", re.IGNORECASE)
#: Lines of a licence file in which the library's own copyright stands; further down come those of what it carries.
OWN_LINES = 25
#: Where a library's metadata name no licence, several, or one that its licence file corrects: what the file says.
LICENCES = {
    "aws-lambda-powertools": "MIT-0",
    "awscrt": "Apache-2.0",
    "ministack": "MIT",
    "numpy": "BSD-3-Clause",
    "pi-heif": "BSD-3-Clause",
    "pyoxipng": "MIT",
    "python-dateutil": "Apache-2.0 and BSD-3-Clause",
    "s3transfer": "Apache-2.0",
}
REMARKS = {
    "botocore": "its NOTICE names parts of requests (Apache-2.0), urllib3 (MIT) and Mozilla's certificates (MPL-2.0)",
    "pi-heif": "libheif and libde265 are under the LGPL-3.0: shared libraries of their own, which can be replaced",
    "pillow": "its licence file has the licences of all that its wheel carries, or has linked into what it carries",
    "typing_extensions": "copyright (c) 2001 and later, Python Software Foundation",
}

HEAD = """Third-party software in the deployment package
==============================================

Written by `make notices` from the wheels themselves; changes made here by hand are lost.

The zip that setup.py deploys carries the libraries below, each with its licence files in its own
`<name>-<version>.dist-info`. The project itself is under the MIT licence (see LICENSE).

"""
PROGRAMS_HEAD = """Third-party software that the programs need beside it
=====================================================

pip installs these from their publishers; nothing here hands them on.

"""


@dataclass(frozen=True)
class Library:
    name: str
    version: str
    licence: str
    files: tuple[str, ...] = ()
    copyrights: tuple[str, ...] = ()
    carries: tuple[str, ...] = ()

    def block(self) -> str:
        """The name, and below it what there is to say."""
        facts = {
            "licence": self.licence,
            "files": ", ".join(self.files),
            "copyright": "; ".join(self.copyrights),
            "carries": ", ".join(self.carries),
            "note": REMARKS.get(self.name, ""),
        }
        lines = [f"{self.name} {self.version}"]
        for fact, text in facts.items():
            if text:
                lines += textwrap.wrap(text, 104, initial_indent=f"  {fact + ':':<11}", subsequent_indent=" " * 13)
        return "\n".join(lines) + "\n"


def notices(wheels: list[Path]) -> str:
    """The whole text; `wheels` are the folders of unpacked wheels, one for each architecture."""
    carried = PINNED.findall(package.REQUIREMENTS.read_text(encoding="utf-8"))
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in PROGRAMS]
    beside = sorted({pair for text in texts for pair in PINNED.findall(text)} - set(carried))
    inside = "\n".join(in_the_zip(name, version, wheels).block() for name, version in carried)
    outside = "".join(
        f"{name} {version}: {licence_of(name, _parsed(distribution(name).read_text('METADATA') or ''))}\n"
        for name, version in beside
    )
    return f"{HEAD}{inside}\n{PROGRAMS_HEAD}{outside}"


def in_the_zip(name: str, version: str, wheels: list[Path]) -> Library:
    folder = wheels[0] / f"{name.replace('-', '_')}-{version}.dist-info"
    metadata = _parsed((folder / "METADATA").read_text(encoding="utf-8"))
    files = sorted(path for path in folder.rglob("*") if path.is_file() and LICENCE_FILE.search(path.name))
    return Library(
        name,
        version,
        licence_of(name, metadata),
        tuple(path.relative_to(folder).as_posix() for path in files),
        tuple(dict.fromkeys(line for path in files for line in _copyrights(path))),
        tuple(sorted({so for wheel in wheels for so in _shared_libraries(wheel, name)})),
    )


def _parsed(metadata: str) -> Message:
    return Parser().parsestr(metadata, headersonly=True)


def licence_of(name: str, metadata: Message) -> str:
    """The licence of a library; ValueError where its metadata do not say it in a few words."""
    said = LICENCES.get(name) or metadata.get("License-Expression") or metadata.get("License") or ""
    if not said or "\n" in said or "Dual" in said:
        raise ValueError(f"{name} names no licence in its metadata ({said[:40]!r}): add it to LICENCES in {__file__}")
    return said


def _copyrights(path: Path) -> Iterator[str]:
    for line in path.read_text(encoding="utf-8").splitlines()[:OWN_LINES]:
        found = COPYRIGHT.match(line)
        if found:
            yield " ".join(RESERVED.sub("", found[1]).split()).strip(" .,")


def _shared_libraries(wheel: Path, name: str) -> Iterator[str]:
    """libjpeg for libjpeg-80045241.so.62.4.0: what auditwheel put beside the extension modules."""
    for path in (wheel / f"{name.replace('-', '_')}.libs").glob("*.so*"):
        yield re.sub(r"-[0-9a-f]{8}\.so.*", "", path.name)


def unpacked_wheels() -> list[Path]:
    """The folders that `make zips` has made; exits where it has not run."""
    found = [package.wheels_folder(package.aws_runtime(architecture), ROOT) for architecture in package.ARCHITECTURES]
    if not all(folder.is_dir() for folder in found):
        sys.exit("the wheels are not here: run `make zips` first")
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog="examples:\n  python docs/notices.py\n  python docs/notices.py --check",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if the file is old")
    arguments = parser.parse_args()
    text = notices(unpacked_wheels())
    old = not TARGET.exists() or TARGET.read_text(encoding="utf-8") != text
    if arguments.check:
        print("THIRD_PARTY_NOTICES " + ("is old: run `make notices`" if old else "is up to date"))
        return 1 if old else 0
    TARGET.write_text(text, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
