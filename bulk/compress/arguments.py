"""The flags of the program: those of the older system under their names, and ours; underscores may be dashes."""

from __future__ import annotations

import argparse
import math
import tempfile
from pathlib import Path
from typing import Any

from bulk.compress.options import FORMATS, MORE_FORMATS
from cli.arguments import command_parser, positive

#: Suffixes that a report may have.
_REPORTS = (".csv", ".json")
_TRUE, _FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")


def parser(sentence: str) -> argparse.ArgumentParser:
    made = command_parser(
        sentence,
        "python bulk/compress_images_from_S3.py --bucket_name meu-bucket --csv_path dataset.csv",
        "python bulk/compress_images_from_S3.py --bucket_name meu-bucket --csv_path dataset.csv --dry_run",
        "python bulk/compress_images_from_S3.py --bucket_name B --csv_path F --backup_prefix originals/",
        "python bulk/compress_images_from_S3.py --bucket_name B --csv_path F --retry_failed --report all.csv",
        "aws s3api list-objects-v2 … | python bulk/compress_images_from_S3.py --bucket_name B --csv_path -",
        prog="compress_images_from_S3.py",
    )
    _add_what(made)
    _add_how(made)
    _add_way_back(made)
    _add_run(made)
    return made


def _add(group: Any, name: str, **facts: Any) -> None:
    """A flag under its name and with dashes."""
    group.add_argument(*dict.fromkeys((f"--{name}", f"--{name.replace('_', '-')}")), **facts)


def _add_what(made: argparse.ArgumentParser) -> None:
    group = made.add_argument_group("what to compress")
    _add(group, "bucket_name", required=True, metavar="NAME", help="the bucket that holds the images")
    _add(
        group, "csv_path", required=True, metavar="FILE", help="CSV with the header path and a key a line; - for stdin"
    )
    text = f"formats to compress, by content (default: {','.join(FORMATS)}; also {', '.join(MORE_FORMATS)})"
    _add(group, "formats", type=_formats, default=FORMATS, metavar="LIST", help=text)
    text = "pixels of the largest image (default: 1000000000)"
    _add(group, "max_image_pixels", type=positive, default=1_000_000_000, metavar="N", help=text)
    text = "whether images that end early only make a warning (default: True); they are never replaced"
    _add(group, "ignore_trunc", type=_switch, default=True, metavar="BOOL", help=text)


def _add_how(made: argparse.ArgumentParser) -> None:
    group = made.add_argument_group("how to compress")
    text = "quality of lossy formats, 0 to 100 (default: 80)"
    _add(group, "perc_compression_quality", type=_quality, default=80, metavar="N", help=text)
    text = "percent that must be saved, or the original stays (default: 3)"
    _add(group, "min_savings", type=_percent, default=3.0, metavar="PERCENT", help=text)
    text = "reduce PNGs to so many colours (2 to 256) where that does them no harm; lossless without it"
    _add(group, "png_colors", type=_colours, default=0, metavar="N", help=text)
    text = "leave out EXIF, GPS and XMP, except for orientation and copyright"
    _add(group, "strip_metadata", action="store_true", help=text)


def _add_way_back(made: argparse.ArgumentParser) -> None:
    group = made.add_argument_group("the way back (a bucket that keeps versions needs none of these)")
    _add(group, "backup_prefix", default="", metavar="PREFIX", help="copy each original to PREFIX and its key first")
    _add(group, "backup_bucket", metavar="NAME", help="… in this bucket (default: the same)")
    _add(group, "no_backup", action="store_true", help="replace originals for good")


def _add_run(made: argparse.ArgumentParser) -> None:
    group = made.add_argument_group("how to run")
    text = "folder for downloads (default: that of the system)"
    _add(group, "temp_dir", type=Path, default=Path(tempfile.gettempdir()), metavar="DIR", help=text)
    text = "folder for log and journal (default: the current one)"
    _add(group, "log_dir", type=Path, default=Path(), metavar="DIR", help=text)
    _add(group, "dry_run", action="store_true", help="do everything but replace, and tell what would be saved")
    _add(group, "retry_failed", action="store_true", help="only what failed in the run before with this command")
    _add(group, "report", type=_report, metavar="FILE", help="write what became of each image: .csv or .json")
    _add(group, "workers", type=positive, metavar="N", help="processes on this machine (default: one for each core)")
    _add(group, "scheduler", metavar="URL", help="use the workers of this Dask cluster: tls://host:8786")
    text = "allow tcp:// off this machine: whoever answers there can run code here"
    _add(group, "trust_scheduler", action="store_true", help=text)


def _switch(text: str) -> bool:
    if text.lower() in _TRUE + _FALSE:
        return text.lower() in _TRUE
    raise argparse.ArgumentTypeError(f"{text!r} is neither True nor False")


def _quality(text: str) -> int:
    if text.isdecimal() and int(text) <= 100:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 to 100")


def _colours(text: str) -> int:
    if text.isdecimal() and 2 <= int(text) <= 256:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 2 to 256")


def _percent(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if 0 <= value < 100:
        return value
    raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 100")


def _formats(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys({"JPG": "JPEG"}.get(name, name) for name in text.upper().replace(" ", "").split(",")))
    unknown = [name for name in names if name not in FORMATS + MORE_FORMATS]
    if not unknown:
        return names
    raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(FORMATS + MORE_FORMATS)}")


def _report(text: str) -> Path:
    if Path(text).suffix.lower() in _REPORTS:
        return Path(text)
    raise argparse.ArgumentTypeError(f"{text!r} must end in .csv or .json")
