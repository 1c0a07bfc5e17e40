"""Paints the sample pictures of this folder: all of them are ours, made by this script, under the MIT licence.

The same seeds give the same pictures; a picture that you want different is one function in img/scenes/.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import argparse
import time
from collections.abc import Sequence
from typing import Any

from PIL import ExifTags

from img.scenes.files import NOWHERE, Picture

FOLDER = Path(__file__).resolve().parent

CAMERA: dict[int, Any] = {ExifTags.Base.Make: "Imaginary", ExifTags.Base.Model: "Imaginary One"}
RIGHTS: dict[int, Any] = {ExifTags.Base.Artist: "The image-pipeline authors", ExifTags.Base.Copyright: "MIT licence"}

PICTURES = (
    Picture(path="mountain_ridges_24mp.jpg", scene="wood.ridges", size=(6000, 4000), quality=92, tags=CAMERA),
    Picture(path="northern_lights.jpg", scene="night.northern_lights", size=(1800, 1200)),
    Picture(path="statue_small.jpg", scene="statue.bust", size=(800, 1000)),
    Picture(path="viajes/playa en otoño.jpg", scene="shore.autumn_beach", size=(1600, 1066), tags=CAMERA),
    Picture(path="island_poster.png", scene="poster.poster", size=(1200, 1600)),
    Picture(path="dunes_at_dusk.jpg", scene="land.dunes", size=(1600, 1066)),
    Picture(path="forest_in_fog.jpg", scene="wood.foggy_forest", size=(1200, 1800), tags=CAMERA, turned=True),
    Picture(path="sunset.jpg", scene="sky.sunset", size=(1600, 1000)),
    Picture(path="balloons.png", scene="balloon.balloons", size=(1200, 1200)),
    Picture(path="canyon.jpg", scene="land.canyon", size=(1600, 1200), quality=92),
    Picture(path="rainy_window.jpg", scene="city.rainy_window", size=(1200, 1200)),
    Picture(
        path="open_ocean.jpg",
        scene="sea.glitter",
        size=(1600, 1066),
        tags=CAMERA,
        taken={
            ExifTags.Base.DateTimeOriginal: "2024:10:14 18:31:07",
            ExifTags.Base.OffsetTimeOriginal: "-02:00",
            ExifTags.Base.FNumber: 8.0,
            ExifTags.Base.ExposureTime: 0.002,
            ExifTags.Base.ISOSpeedRatings: 100,
        },
        place=NOWHERE,
    ),
    Picture(path="harbour_chart.png", scene="dashboard.chart", size=(1600, 1040)),
    Picture(path="alps_panorama.jpg", scene="land.alps", size=(2200, 900), tags=RIGHTS),
    Picture(path="milky_way.jpg", scene="night.milky_way", size=(1000, 1500)),
    Picture(path="contour_map.png", scene="atlas.contour_map", size=(1200, 1200)),
    Picture(path="lighthouse.gif", scene="lighthouse.turning_lamp", size=(480, 320), frame_ms=90),
    Picture(path="ripples.webp", scene="pond.ripples", size=(400, 400), quality=90, frame_ms=80),
    Picture(path="moon_16_bit.png", scene="moon.half_lit", size=(560, 560)),
    Picture(path="poster_proof_cmyk.jpg", scene="poster.for_print", size=(960, 1240), quality=88),
    Picture(path="stereo_alps.mpo", scene="land.alps_for_two_eyes", size=(840, 560), quality=86),
    Picture(path="statue_engraving.tif", scene="engraving.engraved_bust", size=(720, 900)),
    Picture(path="northern_lights_small.avif", scene="night.northern_lights", size=(720, 480), quality=70),
)


def main(arguments: Sequence[str]) -> int:
    options = parser().parse_args(arguments)
    chosen = [picture for picture in PICTURES if not options.names or picture.path in options.names]
    for picture in chosen:
        began = time.monotonic()
        try:
            data = picture.encode(picture.paint())
        except ModuleNotFoundError as missing:
            print(f"error: {missing.name} is not installed: run `make setup-dev` and try again", file=sys.stderr)
            return 2
        target = options.into / picture.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        print(f"{picture.path}: {time.monotonic() - began:.1f} s", file=sys.stderr)
        print(f"{len(data)}\t{target}")
    return 0


def parser() -> argparse.ArgumentParser:
    described = argparse.ArgumentParser(
        prog="render.py",
        description="Paint the sample pictures again and write them; prints bytes and path of each.",
        epilog="examples:\n  python img/render.py\n  python img/render.py statue_small.jpg --into /tmp/pictures",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    described.add_argument("names", nargs="*", metavar="NAME", type=_known, help="only these pictures; default: all")
    described.add_argument("--into", type=Path, default=FOLDER, metavar="FOLDER", help="default: img/")
    return described


def _known(name: str) -> str:
    names = [picture.path for picture in PICTURES]
    if name not in names:
        raise argparse.ArgumentTypeError(f"no picture is called {name!r}; there are {', '.join(names)}")
    return name


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
