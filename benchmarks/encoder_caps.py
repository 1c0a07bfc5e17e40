"""Measures whole images of every format at the size up to which it is written anew, and at the largest accepted one."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import argparse
import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from io import BytesIO

from PIL import Image

from benchmarks.image_core import MEGABYTE, peak_bytes
from cli.exits import Exit, run
from pipeline.errors import RejectError
from pipeline.images.transform import transform

EXAMPLES = """\
examples:
  python benchmarks/encoder_caps.py
  python benchmarks/encoder_caps.py --noise --case webp-20-mp --case avif-8-mp
  python benchmarks/encoder_caps.py --json > encoder_caps.json
"""

_WIDE = Mapping[str, object]


@dataclass(frozen=True)
class Case:
    """One source file; `frames` above 1 make it move, without `grain` it packs well."""

    format: str
    size: tuple[int, int]
    parameters: _WIDE
    alpha: bool = False
    frames: int = 1
    grain: bool = True
    mode: str | None = None

    @property
    def megapixels(self) -> float:
        return self.size[0] * self.size[1] * self.frames / 1e6


_SMOOTH = {"compression": "tiff_adobe_deflate"}
_FULL = (8_000, 8_000)
_LOSSLESS = {"lossless": True, "method": 0, "quality": 0}
_LOSSY = {"quality": 92, "method": 2}
CASES = {
    "jpeg-64-mp": Case("JPEG", _FULL, {"quality": 93}),
    "png-6-mp": Case("PNG", (3_000, 2_000), {"compress_level": 1}),
    "png-64-mp": Case("PNG", _FULL, {"compress_level": 1}, grain=False),
    "png-alpha-64-mp": Case("PNG", _FULL, {"compress_level": 1}, alpha=True, grain=False),
    "gif-16-mp": Case("GIF", (4_000, 4_000), {}),
    "gif-64-mp": Case("GIF", _FULL, {}),
    "gif-40-frames-40-mp": Case("GIF", (1_000, 1_000), {}, frames=40),
    "webp-20-mp": Case("WEBP", (5_000, 4_000), _LOSSY),
    "webp-40-mp": Case("WEBP", (8_000, 5_000), _LOSSY),
    "webp-lossless-16-mp": Case("WEBP", (4_000, 4_000), _LOSSLESS),
    "webp-lossless-alpha-16-mp": Case("WEBP", (4_000, 4_000), _LOSSLESS, alpha=True),
    "webp-24-frames-24-mp": Case("WEBP", (1_000, 1_000), _LOSSY, frames=24),
    "webp-lossless-12-frames-12-mp": Case("WEBP", (1_000, 1_000), _LOSSLESS, frames=12),
    "avif-8-mp": Case("AVIF", (4_000, 2_000), {"quality": 90, "speed": 10}),
    "avif-alpha-8-mp": Case("AVIF", (4_000, 2_000), {"quality": 90, "speed": 10}, alpha=True),
    "avif-64-mp": Case("AVIF", _FULL, {"quality": 60, "speed": 10}),
    "tiff-64-mp": Case("TIFF", _FULL, _SMOOTH, grain=False),
    "tiff-cmyk-48-mp": Case("TIFF", (8_000, 6_000), _SMOOTH, grain=False, mode="CMYK"),
    "tiff-alpha-16-mp": Case("TIFF", (4_000, 4_000), _SMOOTH, alpha=True, grain=False),
    "tiff-alpha-20-mp": Case("TIFF", (5_000, 4_000), _SMOOTH, alpha=True, grain=False),
    "tiff-alpha-64-mp": Case("TIFF", _FULL, _SMOOTH, alpha=True, grain=False),
    "heic-24-mp": Case("HEIF", (6_000, 4_000), {"quality": 80}),
    "heic-alpha-16-mp": Case("HEIF", (4_000, 4_000), {"quality": 80}, alpha=True),
    "bmp-16-mp": Case("BMP", (4_000, 4_000), {}),
}


@dataclass(frozen=True)
class Measured:
    """One case in a fresh process; bytes in, and out of the full size. `outcome`: the format out, or the code."""

    case: str
    megapixels: float
    outcome: str
    cpu_s: float
    peak_mb_over_idle: float
    bytes_in: int
    bytes_out: int


def main() -> int:
    arguments = parser().parse_args()
    if arguments.child:
        print(json.dumps(measure_here(arguments.child)))
        return Exit.DONE
    rows = list(measure_all(arguments.case or list(CASES), arguments.noise))
    print(json.dumps([asdict(row) for row in rows], indent=2) if arguments.json else table(rows))
    return Exit.DONE


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        description="Measure CPU time and peak memory of the largest images that are written anew, format by format.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("--case", action="append", choices=CASES, help="only this case; may be repeated")
    made.add_argument("--noise", action="store_true", help="pure noise, the hardest there is, instead of a photograph")
    made.add_argument("--json", action="store_true", help="print results as JSON")
    made.add_argument("--child", metavar="FILE", help=argparse.SUPPRESS)
    return made


def measure_all(cases: list[str], noise: bool) -> Iterator[Measured]:
    with tempfile.TemporaryDirectory() as folder:
        for name in cases:
            path = Path(folder, name)
            path.write_bytes(file_of(CASES[name], noise))
            command = [sys.executable, __file__, "--child", str(path)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            yield Measured(
                case=name, megapixels=CASES[name].megapixels, bytes_in=path.stat().st_size, **json.loads(done.stdout)
            )
            print(f"{name}: measured", file=sys.stderr)
            path.unlink()


def file_of(case: Case, noise: bool) -> bytes:
    if case.format == "HEIF":
        # Only this benchmark's sources need an encoder for HEIC.
        import pillow_heif

        pillow_heif.register_heif_opener()
    pictures = [picture(case, noise, step) for step in range(case.frames)]
    moving = {"save_all": True, "append_images": pictures[1:], "duration": 50} if case.frames > 1 else {}
    file = BytesIO()
    pictures[0].save(file, case.format, **{**case.parameters, **moving})
    return file.getvalue()


def picture(case: Case, noise: bool, step: int) -> Image.Image:
    """Soft shapes under grain, or bytes of pure chance; each `step` shows another piece of them."""
    width, height = case.size
    if noise:
        bands = 4 if case.alpha else 3
        image = Image.frombytes("RGBA" if case.alpha else "RGB", case.size, os.urandom(width * height * bands))
    else:
        image = grainy(case.size) if case.grain else Image.linear_gradient("L").resize(case.size).convert("RGB")
        if case.alpha:
            image.putalpha(Image.linear_gradient("L").resize(case.size))
    image = image.rotate(90 * step) if case.frames > 1 else image
    image = image.convert(case.mode) if case.mode else image
    return image.quantize(256, Image.Quantize.FASTOCTREE) if case.format == "GIF" else image


def grainy(size: tuple[int, int]) -> Image.Image:
    width, height = size
    coarse = Image.merge("RGB", [Image.effect_noise((width // 40, height // 40), 90) for _ in range(3)])
    grain = Image.effect_noise((width // 2, height // 2), 22).resize(size, Image.Resampling.BILINEAR)
    return Image.blend(coarse.resize(size, Image.Resampling.BICUBIC), Image.merge("RGB", [grain] * 3), 0.35)


def measure_here(path: str) -> dict[str, object]:
    """Memory counts from a process that has all modules loaded and holds the source; so does CPU time."""
    case = CASES[Path(path).name]
    data = Path(path).read_bytes()
    transform(small_like(case))
    idle, begun = peak_bytes(), time.process_time()
    try:
        compressed = transform(data).outputs[1]
        outcome, size = compressed.format, len(compressed.data)
    except RejectError as error:
        outcome, size = error.code, 0
    return {
        "outcome": outcome,
        "cpu_s": round(time.process_time() - begun, 2),
        "peak_mb_over_idle": round((peak_bytes() - idle) / MEGABYTE, 1),
        "bytes_out": size,
    }


def small_like(case: Case) -> bytes:
    return file_of(replace(case, size=(120, 80)), noise=False)


def table(rows: list[Measured]) -> str:
    lines = [f"{'case':<30} {'MP':>4} {'becomes':<9} {'CPU s':>6} {'peak MB':>8} {'in MB':>7} {'out MB':>7}"]
    for row in rows:
        lines.append(
            f"{row.case:<30} {row.megapixels:>4.0f} {row.outcome:<9} {row.cpu_s:>6.2f} {row.peak_mb_over_idle:>8.1f}"
            f" {row.bytes_in / MEGABYTE:>7.1f} {row.bytes_out / MEGABYTE:>7.1f}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(run(main))
