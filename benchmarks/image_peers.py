"""Measures the image core beside sharp, pyvips, OpenCV, ImageMagick and plain Pillow: CPU, memory, bytes, quality."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from itertools import product

from benchmarks.peers import agreement, paired, report
from benchmarks.peers.cases import CASES, CROPS, SIZES
from benchmarks.peers.programs import ROUTES, Program, available, versions
from benchmarks.peers.scores import bytes_at, ssimulacra2
from benchmarks.peers.stolen import least_stolen, seconds_taken
from benchmarks.peers.turns import Turns
from cli.exits import Exit, run
from pipeline.images.options import ImageOptions, OutputOptions
from pipeline.images.transform import transform

EXAMPLES = """\
examples:
  python benchmarks/image_peers.py                                  everything, once over
  python benchmarks/image_peers.py --repeat 7 --write               … and keep it in benchmarks/results/
  python benchmarks/image_peers.py --case "PNG photo" --only speed
  python benchmarks/image_peers.py --compare first.json second.json whether two runs agree within 5 %
"""
PARTS = ("speed", "cores", "memory", "scores")
#: The kind of files by which two cores are measured.
SHARED = "JPEG baseline 4:2:0"
#: Of the core, at which its bytes are measured to be compared at equal scores.
QUALITIES = (66, 72, 76, 80, 86)


def main() -> int:
    arguments = parser().parse_args()
    if arguments.compare:
        return agreement.compare(*arguments.compare)
    routes = _routes()  # brings sharp, whose version is told
    found = report.Found(versions=versions())
    for _ in _measured(found, routes, arguments):
        # What was found outlives an end that comes too early.
        if arguments.write:
            found.write()
    print(json.dumps(found.document(), indent=2) if arguments.json else found.markdown())
    return Exit.DONE


def _measured(found: report.Found, routes: list[str], arguments: argparse.Namespace) -> Iterator[None]:
    """Puts one figure after the other into `found`."""
    wanted = arguments.only or PARTS
    if "speed" in wanted:
        for speeds in speed(arguments.case or list(CASES), routes, arguments.repeat, arguments.core):
            found.speed.update(speeds)
            yield
    if "cores" in wanted:
        found.cores.update(two_cores(routes, arguments.repeat))
        yield
    for size in SIZES if "memory" in wanted else ():
        found.memory[size] = memory(size, routes, arguments.core)
        yield
    if "scores" in wanted:
        found.scores.update(scores(routes, arguments.core))
        yield


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        description="Measure CPU, memory, bytes and quality of the image core and its peers at the same job.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("--case", action="append", choices=CASES, help="only this kind of files; may be repeated")
    made.add_argument("--repeat", type=int, default=3, metavar="N", help="times each file is done (default: 3)")
    made.add_argument(
        "--core", type=int, default=_last_core(), metavar="N", help="pin to this core (default: the last)"
    )
    made.add_argument("--only", action="append", choices=PARTS, help="only this part; may be repeated")
    made.add_argument("--compare", nargs=2, type=Path, metavar="JSON", help="measure nothing: do two runs agree?")
    made.add_argument("--write", action="store_true", help="write JSON, Markdown and plots to benchmarks/results/")
    made.add_argument("--json", action="store_true", help="print results as JSON")
    return made


def _last_core() -> int:
    return max(os.sched_getaffinity(0))


def _routes() -> list[str]:
    reasons = available()
    for route in ROUTES:
        if reasons[route]:
            print(f"{route} is left out: {reasons[route]}", file=sys.stderr)
    return [route for route in ROUTES if not reasons[route]]


def speed(names: list[str], routes: list[str], repeat: int, core: int) -> Iterator[dict[str, dict[str, report.Speed]]]:
    """CPU seconds and bytes of every route over all files of every kind, after each round.

    Routes take turns at every file, and kinds of files at every round: what a machine does for some minutes, or its
    host, meets all kinds alike, and is the same mixture in the next run. Every round has processes of its own: of
    eight that only turned pictures, one was 8 % slower for all its life, probably by where in memory it lay.
    """
    turns = [Turns(name, routes) for name in names]
    while wanted := [one for one in turns if not one.is_enough(repeat)]:
        with ExitStack() as stack:
            programs = {route: stack.enter_context(Program(route, {core})) for route in routes}
            for one in wanted:
                one.take(programs)
        yield {one.name: paired.speeds(one.answers) for one in turns}


def two_cores(routes: list[str], repeat: int) -> dict[str, report.Shared]:
    """Wall seconds for every file of one kind twice: one after the other on one core, and at once on two cores.

    All processes of a round are there together and take turns at every file, as `speed` has it: what a host takes of
    two cores changes within seconds.
    """
    files = CASES[SHARED].files(SHARED)
    every = sorted(os.sched_getaffinity(0))[-2:]
    if len(every) < 2:
        return {}
    cases = [(route, cores) for route in routes for cores in (1, 2)]
    walls: dict[Path, dict[tuple[str, int], list[float]]] = {file: {case: [] for case in cases} for file in files}
    for number in range(repeat):
        with ExitStack() as stack:
            programs = {case: stack.enter_context(Program(case[0], set(every[-case[1] :]))) for case in cases}
            for (_, cores), program in programs.items():
                # The first time loads libraries, and each thread takes memory of its own.
                program.ask(*files, at_once=cores)
            for file, (case, program) in product(files, programs.items()):
                walls[file][case].append(_wall(program, file, every[-case[1] :]))
        print(f"two cores: done {number + 1} times", file=sys.stderr)
    middles = [paired.middles(of, (report.base_of(routes), 1)) for of in walls.values()]
    one, two = ({route: sum(of[route, cores] for of in middles) for route in routes} for cores in (1, 2))
    return {route: report.Shared(one[route], two[route]) for route in routes}


def _wall(program: Program, file: Path, cores: list[int]) -> float:
    """Seconds for `file` once on each of `cores`, or twice on one, while the host took least of them."""
    ask = partial(program.ask, file, file, at_once=len(cores))
    return least_stolen(ask, partial(seconds_taken, cores), len(cores)).wall


def memory(megapixels: int, routes: list[str], core: int) -> dict[str, float]:
    """Peak memory in MB of a process that does one picture and nothing before: what a function would need."""
    [file] = SIZES[megapixels].files(f"{megapixels} MP")
    peaks = {}
    for route in routes:
        with Program(route, {core}) as program:
            peaks[route] = program.ask(file).peak
    print(f"{megapixels} MP: measured", file=sys.stderr)
    return peaks


def scores(routes: list[str], core: int) -> dict[str, report.Score]:
    """For every crop as a camera's JPEG: each route's score, and the bytes that the core takes for that score."""
    crops = CROPS.files("crops")
    cameras = CASES["JPEG baseline 4:2:0"]
    found: dict[str, list[tuple[float, float]]] = {route: [] for route in routes}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        programs = {route: stack.enter_context(Program(route, {core})) for route in routes}
        for crop in crops:
            source, kept = Path(folder, "source.jpg"), Path(folder, "whole.jpg")
            _as_camera(crop, source, dict(cameras.parameters))
            points = [(len(data), ssimulacra2(source, data)) for data in map(_core(source.read_bytes()), QUALITIES)]
            for route, program in programs.items():
                size = program.ask(source, keep=kept).whole
                score = ssimulacra2(source, kept.read_bytes())
                found[route].append((score, bytes_at(score, points) / size))
            print(f"{crop.name}: scored", file=sys.stderr)
    return {route: report.Score.of(pairs) for route, pairs in found.items()}


def _as_camera(crop: Path, target: Path, parameters: dict[str, object]) -> None:
    from PIL import Image

    with Image.open(crop) as image:
        image.save(target, "JPEG", **parameters)


def _core(data: bytes) -> Callable[[int], bytes]:
    def at(quality: int) -> bytes:
        options = ImageOptions(outputs=(("whole", OutputOptions(quality=quality)),))
        return transform(data, options).outputs[0].data

    return at


if __name__ == "__main__":
    sys.exit(run(main))
