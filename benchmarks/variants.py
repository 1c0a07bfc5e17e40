"""Measures what variants cost: CPU time, peak memory and bytes of one image, beside the same image without any."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.encoder_caps import Case, file_of, small_like
from benchmarks.image_core import MEGABYTE, peak_bytes
from cli.exits import Exit, run
from pipeline.images.transform import transform
from pipeline.images.variants import Variants

EXAMPLES = """\
examples:
  python benchmarks/variants.py
  python benchmarks/variants.py --source jpeg-12-mp --noise --repeat 5
  python benchmarks/variants.py --json > variants.json
"""
_JPEG: dict[str, object] = {"quality": 93}
_PNG: dict[str, object] = {"compress_level": 1}
SOURCES = {
    "jpeg-1-mp": Case("JPEG", (1_200, 900), _JPEG),
    "jpeg-12-mp": Case("JPEG", (4_000, 3_000), _JPEG),
    "jpeg-48-mp": Case("JPEG", (8_000, 6_000), _JPEG),
    "webp-40-mp": Case("WEBP", (8_000, 5_000), {"quality": 92, "method": 2}),
    "png-alpha-64-mp": Case("PNG", (8_000, 8_000), _PNG, alpha=True, grain=False),
}
_THREE, _FOUR = (320, 640, 1280), (320, 640, 1280, 2560)
SETS = {
    "none": Variants(),
    "webp, 3 widths": Variants(("WEBP",), _THREE),
    "avif, 3 widths": Variants(("AVIF",), _THREE),
    "both, 3 widths": Variants(("WEBP", "AVIF"), _THREE),
    "both, 4 widths": Variants(("WEBP", "AVIF"), _FOUR),
}


@dataclass(frozen=True)
class Measured:
    """One source with one set of variants; bytes of the source, of its compressed image, and of all variants."""

    source: str
    variants: str
    made: int
    left_out: int
    cpu_ms: float
    ratio: float
    peak_mb_over_idle: float
    bytes_in: int
    bytes_compressed: int
    bytes_variants: int


def main() -> int:
    arguments = parser().parse_args()
    if arguments.child:
        print(json.dumps(measure_here(*arguments.child)))
        return Exit.DONE
    rows = list(measure_all(arguments.source or list(SOURCES), arguments.noise, max(1, arguments.repeat)))
    print(json.dumps([asdict(row) for row in rows], indent=2) if arguments.json else table(rows))
    return Exit.DONE


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        description="Measure CPU time, memory and bytes of images with variants and without.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("--source", action="append", choices=SOURCES, help="only this one; may be repeated")
    made.add_argument("--noise", action="store_true", help="pure noise, the hardest there is, instead of a photograph")
    made.add_argument("--repeat", type=int, default=3, metavar="N", help="runs of each, for medians (default: 3)")
    made.add_argument("--json", action="store_true", help="print results as JSON")
    made.add_argument("--child", nargs=2, metavar=("SET", "FILE"), help=argparse.SUPPRESS)
    return made


def measure_all(sources: list[str], noise: bool, repeat: int) -> Iterator[Measured]:
    with tempfile.TemporaryDirectory() as folder:
        for source in sources:
            path = Path(folder, source)
            path.write_bytes(file_of(SOURCES[source], noise))
            # The sets take turns, so that what else the machine does meets them alike.
            runs = [(name, in_child(name, path)) for _ in range(repeat) for name in SETS]
            alone = statistics.median(values["cpu_ms"] for name, values in runs if name == "none")
            for name in SETS:
                yield summary(source, name, path, [values for of, values in runs if of == name], alone)
            print(f"{source}: measured", file=sys.stderr)


def in_child(name: str, path: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, "--child", name, str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    values: dict[str, Any] = json.loads(done.stdout)
    return values


def summary(source: str, name: str, path: Path, runs: list[dict[str, Any]], alone: float) -> Measured:
    medians = {key: statistics.median(values[key] for values in runs) for key in runs[0]}
    ratio = round(medians["cpu_ms"] / alone, 2)
    return Measured(source=source, variants=name, bytes_in=path.stat().st_size, ratio=ratio, **medians)


def measure_here(name: str, path: str) -> dict[str, float]:
    """Memory counts from a process that has all modules loaded and holds the source; so does CPU time."""
    data, options = Path(path).read_bytes(), SETS[name].image_options
    transform(small_like(SOURCES[Path(path).name]), options)
    idle, begun = peak_bytes(), time.process_time()
    made = transform(data, options)
    seconds = time.process_time() - begun
    return {
        "made": len(made.outputs) - 2,
        "left_out": len(made.left_out),
        "cpu_ms": round(1000 * seconds, 1),
        "peak_mb_over_idle": round((peak_bytes() - idle) / MEGABYTE, 1),
        "bytes_compressed": len(made.outputs[1].data),
        "bytes_variants": sum(len(output.data) for output in made.outputs[2:]),
    }


def table(rows: list[Measured]) -> str:
    heads = ("made", "left out", "CPU ms", "ratio", "peak MB", "compressed kB", "variants kB")
    lines = [f"{'source':<16} {'variants':<15} " + " ".join(heads)]
    for row in rows:
        kilobytes = f"{row.bytes_compressed / 1000:>13.0f} {row.bytes_variants / 1000:>11.0f}"
        lines.append(
            f"{row.source:<16} {row.variants:<15} {row.made:>4.0f} {row.left_out:>8.0f} {row.cpu_ms:>6.0f}"
            f" {row.ratio:>5} {row.peak_mb_over_idle:>7.0f} {kilobytes}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(run(main))
