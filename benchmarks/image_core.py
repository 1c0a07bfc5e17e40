"""Measures the image core: memory and CPU time of one image, beside plain Pillow, each in a process of its own."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import argparse
import json
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from io import BytesIO

from PIL import Image, ImageOps

from cli.exits import Exit, run
from pipeline.images.transform import transform

EXAMPLES = """\
examples:
  python benchmarks/image_core.py
  python benchmarks/image_core.py --case 24-mp-jpeg --case 6-mp-png --repeat 5
  python benchmarks/image_core.py --json > image_core.json
"""
MEGABYTE = 1_000_000


@dataclass(frozen=True)
class Case:
    format: str
    size: tuple[int, int]
    orientation: int = 1

    @property
    def megapixels(self) -> float:
        return self.size[0] * self.size[1] / 1e6


CASES = {
    "1-mp-jpeg": Case("JPEG", (1_200, 900)),
    "12-mp-jpeg": Case("JPEG", (4_000, 3_000)),
    "24-mp-jpeg": Case("JPEG", (6_000, 4_000)),
    "24-mp-jpeg-on-its-side": Case("JPEG", (6_000, 4_000), orientation=6),
    "48-mp-jpeg": Case("JPEG", (8_000, 6_000)),
    "6-mp-png": Case("PNG", (3_000, 2_000)),
}


@dataclass(frozen=True)
class Measured:
    """One case by one route: medians over all runs, each in a fresh process. Bytes in, and out of the full size."""

    case: str
    route: str
    megapixels: float
    cpu_ms: float
    peak_mb_over_idle: float
    bytes_in: int
    bytes_out: int


def core(data: bytes) -> int:
    return len(transform(data).outputs[1].data)


def plain_pillow(data: bytes) -> int:
    """What most programs do: open, transpose, copy, thumbnail, save both with optimize."""
    with Image.open(BytesIO(data)) as opened:
        form = opened.format
        image = ImageOps.exif_transpose(opened)
    small = image.copy()
    small.thumbnail((256, 256), Image.Resampling.LANCZOS)
    small.save(BytesIO(), "WEBP", quality=80)
    file = BytesIO()
    image.save(file, form, quality=80, optimize=True)
    return len(file.getvalue())


ROUTES: dict[str, Callable[[bytes], int]] = {"core": core, "plain": plain_pillow}


def main() -> int:
    arguments = parser().parse_args()
    if arguments.child:
        print(json.dumps(measure_here(*arguments.child)))
        return Exit.DONE
    rows = list(measure_all(arguments.case or list(CASES), arguments.repeat))
    print(json.dumps([asdict(row) for row in rows], indent=2) if arguments.json else table(rows))
    return Exit.DONE


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        description="Measure peak memory and CPU time of the image core, beside plain Pillow in the same run.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("--case", action="append", choices=CASES, help="only this case; may be repeated")
    made.add_argument("--repeat", type=int, default=3, metavar="N", help="runs of each case and route (default: 3)")
    made.add_argument("--json", action="store_true", help="print results as JSON")
    made.add_argument("--child", nargs=2, metavar=("ROUTE", "FILE"), help=argparse.SUPPRESS)
    return made


def measure_all(cases: list[str], repeat: int) -> Iterator[Measured]:
    with tempfile.TemporaryDirectory() as folder:
        for name in cases:
            path = Path(folder, name)
            path.write_bytes(picture(CASES[name]))
            # The routes take turns, so that what else the machine does meets them alike.
            runs = [(route, measure_in_child(route, path)) for _ in range(max(1, repeat)) for route in ROUTES]
            for route in ROUTES:
                yield summary(name, route, path, [values for of, values in runs if of == route])
                print(f"{name}: {route} measured", file=sys.stderr)


def picture(case: Case) -> bytes:
    """A photograph as far as encoders can tell: soft shapes, sharp edges, and noise that grows in the shadows."""
    width, height = case.size
    coarse = Image.merge("RGB", [Image.effect_noise((width // 40, height // 40), 90) for _ in range(3)])
    image = coarse.resize(case.size, Image.Resampling.BICUBIC)
    grain = Image.effect_noise((width // 2, height // 2), 22).resize(case.size, Image.Resampling.BILINEAR)
    image = Image.blend(image, Image.merge("RGB", [grain] * 3), 0.35)
    exif = Image.Exif()
    exif[0x0112] = case.orientation
    file = BytesIO()
    image.save(file, case.format, quality=93, exif=exif)
    return file.getvalue()


def measure_in_child(route: str, path: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--child", route, str(path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    values: dict[str, float] = json.loads(done.stdout)
    return values


def measure_here(route: str, path: str) -> dict[str, float]:
    """Memory counts from a process that has all modules loaded and holds the source; so does CPU time."""
    work = ROUTES[route]
    work(picture(Case(CASES[Path(path).name].format, (80, 60))))
    data = Path(path).read_bytes()
    idle, begun = peak_bytes(), time.process_time()
    size = work(data)
    return {"cpu": time.process_time() - begun, "peak": peak_bytes() - idle, "bytes_out": size}


def peak_bytes() -> int:
    """The most memory that this process has ever held."""
    status = Path("/proc/self/status")
    if status.exists():
        # ru_maxrss of a child begins with that of its parent; VmHWM begins with the program.
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def summary(case: str, route: str, path: Path, runs: list[dict[str, float]]) -> Measured:
    return Measured(
        case=case,
        route=route,
        megapixels=CASES[case].megapixels,
        cpu_ms=round(statistics.median(values["cpu"] for values in runs) * 1000, 1),
        peak_mb_over_idle=round(statistics.median(values["peak"] for values in runs) / MEGABYTE, 1),
        bytes_in=path.stat().st_size,
        bytes_out=int(runs[0]["bytes_out"]),
    )


def table(rows: list[Measured]) -> str:
    lines = [
        f"{'case':<24} {'route':<6} {'CPU ms':>8} {'ms/MP':>7} {'peak MB':>8} {'in kB':>8} {'out kB':>8} {'out/in':>7}"
    ]
    for row in rows:
        lines.append(
            f"{row.case:<24} {row.route:<6} {row.cpu_ms:>8.1f} {row.cpu_ms / row.megapixels:>7.1f}"
            f" {row.peak_mb_over_idle:>8.1f} {row.bytes_in / 1000:>8.0f} {row.bytes_out / 1000:>8.0f}"
            f" {row.bytes_out / row.bytes_in:>7.3f}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(run(main))
