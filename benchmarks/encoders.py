"""Measures encoders: bytes at equal SSIMULACRA2 and CPU time, and which of them no other one beats at both."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import argparse
import json
import os
import tempfile
import time
from dataclasses import dataclass, field

from PIL import Image

from benchmarks import reports
from benchmarks.peers import frontier, paired
from benchmarks.peers.cases import CASES, CROPS, middle
from benchmarks.peers.scores import Point, bytes_at, ssimulacra2
from benchmarks.peers.ways import Way, ways
from cli.exits import Exit, run

EXAMPLES = """\
examples:
  python benchmarks/encoders.py                                      every encoder, once over
  python benchmarks/encoders.py --way "ours JPEG fast" --way pyjpegli --crops 2
  python benchmarks/encoders.py --repeat 3 --write                   … and keep it in benchmarks/results/
"""
#: What all bytes are compared with, at its usual quality.
REFERENCE = "Pillow optimize"
_QUALITY = 80
_MEGAPIXELS = 0.35


@dataclass
class Taken:
    """One encoder at one crop: its files by quality, and CPU seconds of one of them, for each round."""

    files: list[bytes] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


def main() -> int:
    arguments = parser().parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    chosen = {name: way for name, way in ways().items() if not arguments.way or name in (*arguments.way, REFERENCE)}
    facts = {**reports.surroundings(), "rounds": arguments.repeat}
    found = measured(chosen, arguments.crops, arguments.repeat)
    print(json.dumps(frontier.document(found, facts), indent=2) if arguments.json else frontier.markdown(found, facts))
    if arguments.write:
        frontier.write(found, facts)
    return Exit.DONE


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        description="Measure bytes at equal SSIMULACRA2 and CPU time of encoders and of our presets.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("--way", action="append", choices=list(ways()), help="only this encoder; may be repeated")
    made.add_argument("--crops", type=int, default=6, metavar="N", help="how many crops of photos (default: 6)")
    made.add_argument("--repeat", type=int, default=1, metavar="N", help="times each is written (default: 1)")
    made.add_argument("--write", action="store_true", help="write JSON, Markdown and a plot to benchmarks/results/")
    made.add_argument("--json", action="store_true", help="print results as JSON")
    return made


def measured(chosen: dict[str, Way], crops: int, repeat: int) -> list[frontier.Result]:
    """Bytes over those of the reference at its score (geometric mean), and CPU of one megapixel (mean of the crops)."""
    ratios: dict[str, list[float]] = {name: [] for name in chosen}
    speeds: dict[str, list[float]] = {name: [] for name in chosen}
    with tempfile.TemporaryDirectory() as folder:
        for number, crop in enumerate(CROPS.files("crops")[:crops]):
            source, image = _as_camera(crop, Path(folder))
            megapixels = image.width * image.height / 1e6
            taken = _taken(chosen, image, repeat)
            seconds = paired.middles({name: one.seconds for name, one in taken.items()}, REFERENCE)
            points = {name: [_point(source, file) for file in one.files] for name, one in taken.items()}
            length, score = points[REFERENCE][chosen[REFERENCE].qualities.index(_QUALITY)]
            for name in chosen:
                ratios[name].append(bytes_at(score, points[name]) / length)
                speeds[name].append(seconds[name] / megapixels)
            print(f"crop {number + 1}: measured", file=sys.stderr)
    return [frontier.Result.of(name, way, ratios[name], speeds[name]) for name, way in chosen.items()]


def _as_camera(crop: Path, folder: Path) -> tuple[Path, Image.Image]:
    """The middle of `crop` as a camera's JPEG, and its pixels."""
    source = folder / "source.jpg"
    with Image.open(crop) as whole:
        middle(whole, _MEGAPIXELS).save(source, "JPEG", **dict(CASES["JPEG baseline 4:2:0"].parameters))
    with Image.open(source) as opened:
        return source, opened.convert("RGB")


def _taken(chosen: dict[str, Way], image: Image.Image, repeat: int) -> dict[str, Taken]:
    """Encoders take turns, so that what else the machine does meets them alike."""
    taken = {name: Taken() for name in chosen}
    for _ in range(repeat):
        for name, way in chosen.items():
            begun = time.process_time()
            taken[name].files = [way.write(image, quality) for quality in way.qualities]
            taken[name].seconds.append((time.process_time() - begun) / len(way.qualities))
    return taken


def _point(source: Path, file: bytes) -> Point:
    return len(file), ssimulacra2(source, file)


if __name__ == "__main__":
    sys.exit(run(main))
