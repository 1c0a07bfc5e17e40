"""How much memory the function should have: time and price of an image at each size, from measured CPU time."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import argparse
import json
import statistics
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from decimal import Decimal

from benchmarks.image_core import Case, picture
from cli.cost import PRICES, WAITING_MS
from cli.exits import Exit, run
from pipeline import freed_memory
from pipeline.images.transform import transform

EXAMPLES = """\
examples:
  python benchmarks/right_size.py
  python benchmarks/right_size.py --repeat 15 --slower 1 --write     … and keep it in benchmarks/results/right_size.json
"""
RESULTS = Path(__file__).resolve().parent / "results" / "right_size.json"
#: Lambda gives a function a share of the processor by its memory: one vCPU at 1,769 MB, says its developer guide.
MB_OF_ONE_VCPU = 1769
SIZES = (512, 768, 1024, 1280, 1536, 1792, 2048, 3008)
IMAGES = {
    "1-mp-jpeg": Case("JPEG", (1_200, 900)),
    "3-mp-jpeg": Case("JPEG", (2_000, 1_500)),
    "12-mp-jpeg": Case("JPEG", (4_000, 3_000)),
}
#: Beside the making of images: calls, message, logs. On the local cloud a function took 32 to 36 ms of CPU for an image
#: of which 20 were transform's.
CALLS_CPU_MS = 14.0


@dataclass(frozen=True)
class Sized:
    """One image at one memory size: its share of a vCPU, milliseconds, and dollars for a million of them."""

    image: str
    cpu_ms: float
    memory_mb: int
    vcpu: float
    ms: float
    dollars_per_million: float


def main() -> int:
    arguments = parser().parse_args()
    measured = {name: cpu_ms(name, max(1, arguments.repeat)) for name in IMAGES}
    rows = [sized(name, ms * arguments.slower, memory) for name, ms in measured.items() for memory in SIZES]
    facts = {"repeat": arguments.repeat, "slower": arguments.slower, "rows": [asdict(row) for row in rows]}
    if arguments.write:
        RESULTS.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(facts) if arguments.json else "\n".join(table(rows)))
    return Exit.DONE


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        description="Reckon time and price of an image at each memory size, from CPU time measured here.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("--repeat", type=int, default=7, metavar="N", help="runs of each image (default: 7)")
    made.add_argument(
        "--slower", type=float, default=2.0, metavar="X", help="how much slower a vCPU is than this one (default: 2)"
    )
    made.add_argument("--write", action="store_true", help="write benchmarks/results/right_size.json")
    made.add_argument("--json", action="store_true", help="print results as JSON")
    return made


def cpu_ms(name: str, repeat: int) -> float:
    """Median CPU time of both outputs, and what surrounds them."""
    freed_memory.keep()
    data = picture(IMAGES[name])
    transform(data)
    times = []
    for _ in range(repeat):
        begun = time.process_time()
        transform(data)
        times.append(time.process_time() - begun)
    print(f"{name} measured", file=sys.stderr)
    return statistics.median(times) * 1000 + CALLS_CPU_MS


def sized(image: str, ms: float, memory: int) -> Sized:
    """An image is one thread's work: a second vCPU makes none quicker, and no memory shortens the waiting."""
    share = memory / MB_OF_ONE_VCPU
    took = float(WAITING_MS) + ms / min(1.0, share)
    seconds = Decimal(took) / 1000 * memory / 1024
    price = 1_000_000 * (PRICES["Lambda requests"] + seconds * PRICES["Lambda, GB-second on arm64"])
    return Sized(image, round(ms, 1), memory, round(share, 2), round(took, 1), round(float(price), 2))


def table(rows: list[Sized]) -> Iterator[str]:
    yield f"{'image':<12} {'CPU ms':>8} {'MB':>6} {'vCPU':>6} {'ms':>8} {'$ a million':>12}"
    for row in rows:
        yield (
            f"{row.image:<12} {row.cpu_ms:>8.1f} {row.memory_mb:>6} {row.vcpu:>6.2f} {row.ms:>8.1f}"
            f" {row.dollars_per_million:>12.2f}"
        )


if __name__ == "__main__":
    sys.exit(run(main))
