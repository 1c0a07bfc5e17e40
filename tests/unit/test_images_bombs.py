"""Small files that claim or cost much end in a code, within the time and the memory of one image."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import Code, RejectError
from pipeline.images import png_parts
from pipeline.images.transform import transform
from tests import bombs, formats, images

#: Sizes that are beyond the limits, made in bytes.
CLAIMS: dict[str, Callable[[], bytes]] = {
    "GIF of 4 gigapixels": lambda: bombs.gif_claiming(65_535, 65_535),
    "GIF over the side limit": lambda: bombs.gif_claiming(20_001, 1),
    "GIF with a frame out of its screen": bombs.gif_with_a_frame_out_of_its_screen,
    "WebP of 280 terapixels": lambda: bombs.webp_claiming(1 << 24, 1 << 24),
    "WebP over its decoder's memory": lambda: bombs.webp_claiming(6_400, 6_400),
    "AVIF of 4 gigapixels": lambda: bombs.with_sizes(formats.avif(), 65_000, 65_000),
    "AVIF of 2**32 a side": lambda: bombs.with_sizes(formats.avif(), 2**32 - 1, 2**32 - 1),
    "HEIC of 4 gigapixels": lambda: bombs.with_sizes(formats.heic(), 65_000, 65_000),
    "TIFF of 4 gigapixels": lambda: bombs.tiff_claiming(65_000, 65_000),
    "TIFF of 2**32 a side": lambda: bombs.tiff_claiming(2**32 - 1, 2**32 - 1),
    "TIFF of one huge tile": lambda: bombs.tiff_claiming(64, 64, (322, 4, 1, 60_000), (323, 4, 1, 60_000)),
    "TIFF of one huge tile that is larger than its memory": lambda: bombs.tiff_claiming(
        64, 64, (322, 4, 1, 30_000), (323, 4, 1, 30_000)
    ),
    "TIFF of many samples": lambda: bombs.tiff_claiming(8_000, 8_000, (277, 3, 1, 60_000)),
    "BMP of 4 gigapixels": lambda: bombs.bmp_claiming(65_000, -65_000),
}
#: Structures with far more pieces than any picture has.
PIECES: dict[str, Callable[[], bytes]] = {
    "GIF of 2,000,000 blocks": lambda: bombs.gif_with_blocks(2_000_000),
    "GIF of 10,000,000 sub-blocks": lambda: bombs.gif_with_sub_blocks(10_000_000),
    "WebP of 1,000,000 chunks": lambda: bombs.webp_with_chunks(1_000_000),
    "AVIF of 1,000,000 boxes": lambda: bombs.avif_with_boxes(1_000_000),
    "AVIF in 4 billion pieces": lambda: bombs.avif_in_pieces(65_535),
    "TIFF of 1,000,000 strips": lambda: bombs.tiff_with_strips(1_000_000),
    "BMP of many runs": lambda: bombs.bmp_in_runs(4_000, 4_000, b"\x01\x05" * 9_000_000),
    "BMP of large runs": lambda: bombs.bmp_in_runs(8_000, 8_000, b"\xff\x05" * 9),
}
#: Allowed sizes, and as much work for the decoder as a few bytes can make.
WORK: dict[str, Callable[[], bytes]] = {
    "TIFF of 19 megapixels in 20 kB": lambda: bombs.tiff_of_packed_noughts(19),
    "BMP of runs that get nowhere": lambda: bombs.bmp_in_runs(3, 3, b"\x01\x05" * 2_000_000),
    "BMP of line ends": lambda: bombs.bmp_in_runs(4_000, 1_000, b"\x01\x05\x00\x00" * 1_000),
    "GIF of 3,000 frames": lambda: bombs.gif_of_whole_frames([formats.moving()[0].quantize(8)], 3_000),
    "WebP of 3,000 frames": lambda: bombs.webp_of_whole_frames(formats.moving()[:1], 3_000),
    "AVIF of a picture larger than it says": lambda: bombs.with_sizes(formats.avif(), 8, 8),
    "HEIC of a picture larger than it says": lambda: bombs.with_sizes(formats.heic(), 8, 8),
    "GIF of 48 megapixels": lambda: bombs.gif_claiming(8_000, 6_000),
    "PNG with 65,000 texts in its EXIF": lambda: bombs.png_with_exif(bombs.exif_of_texts(65_000, 100_000)),
    "PNG with one text 65,000 times": lambda: bombs.png_with_exif(bombs.exif_of_texts(65_000, 9_000_000, alike=True)),
    "GIF that widens to 62 megapixels": lambda: bombs.gif_that_widens(7_900, 4),
    "PNG with a frame of 140 terapixels": lambda: bombs.png_with_a_frame_of_no_animation(2**31 - 1, 65_535),
    "PNG with a frame of 120 megapixels": lambda: bombs.png_with_a_frame_of_no_animation(
        30_000, 4_000, zlib.compress(bytes(360_000_000), 9)
    ),
}


@pytest.mark.parametrize("name", CLAIMS | PIECES)
def test_a_bomb_is_too_large_before_it_costs_anything(name: str):
    data = (CLAIMS | PIECES)[name]()
    begun = time.process_time()

    with pytest.raises(RejectError) as caught:
        transform(data)

    assert caught.value.code == Code.TOO_LARGE
    assert time.process_time() - begun < 2


CHILD = """
import json, resource, sys, time
from pathlib import Path
from pipeline.errors import RejectError
from pipeline.images import png_parts
from pipeline.images.transform import transform
from tests import formats
for name in formats.MAKERS:
    transform(formats.made(name, formats.MAKERS[name][1][0]))
held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (held + 768_000_000,) * 2)
for path in sys.argv[1:]:
    begun = time.process_time()
    try:
        outcome = transform(Path(path).read_bytes()).outputs[1].format
    except RejectError as error:
        outcome = error.code
    print(json.dumps([Path(path).name, outcome, time.process_time() - begun]), flush=True)
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is measured as Linux does")
def test_the_hardest_work_stays_within_ten_seconds_and_768_megabytes(tmp_path: Path):
    for name, make in WORK.items():
        (tmp_path / name).write_bytes(make())

    child = subprocess.run(
        [sys.executable, "-W", "error", "-c", CHILD, *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        timeout=200,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (80, 80)),
    )

    rows = [json.loads(line) for line in child.stdout.splitlines()]
    assert [name for name, _, _ in rows] == sorted(WORK), child.stderr
    assert all(seconds < 10 for _, _, seconds in rows), rows
    known = {*Code, "JPEG", "PNG", "GIF", "WEBP", "AVIF"}
    assert all(outcome in known for _, outcome, _ in rows), rows


@pytest.mark.parametrize("kind", [2, 5, 7, 8, 9, 11])
@pytest.mark.parametrize("tag", [256, 257, 258, 277, 278, 322, 323])
def test_sizes_of_a_tiff_in_a_type_that_is_not_for_sizes_are_refused(tag: int, kind: int):
    with pytest.raises(RejectError) as refused:
        transform(bombs.tiff_claiming(64, 64, (322, 4, 1, 64), (323, 4, 1, 64), (tag, kind, 1, 30_000)))

    assert refused.value.code == Code.CORRUPT_FILE and f"tag {tag}" in str(refused.value)


def test_of_many_profiles_in_a_png_one_is_looked_at(monkeypatch):
    chunk = images.png_chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(5_000_000)))
    data = images.png(images.photo((8, 8)))
    data = data[:33] + chunk * 50 + data[33:]
    unpacked = []
    monkeypatch.setattr(png_parts, "_profile", lambda payload: unpacked.append(payload))

    png_parts.take_apart(data)

    assert len(unpacked) == 1
