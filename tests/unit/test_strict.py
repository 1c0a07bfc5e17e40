"""Damage that decoders pass over is found, and no whole file is called damaged."""

from __future__ import annotations

import os
import random
import shutil
import struct
import subprocess
import zlib
from collections import Counter
from io import BytesIO
from pathlib import Path

import pytest
import simplejpeg
from PIL import Image

from benchmarks.corpus.mutations import mutated
from bulk.strict import jpeg_pixels, strict_problem
from pipeline.images.formats import sniff
from tests import images
from tests.damaged_jpegs import clean_jpegs, damaged_jpegs

ROOT = Path(__file__).resolve().parents[2]
FORMATS = ("JPEG", "PNG", "WEBP")
#: Folders of public pictures that are whole: Pillow's own holds what is broken on purpose.
CLEAN = (
    "mate-backgrounds",
    "lomiri-16.04",
    "lomiri-20.04",
    "ukui",
    "scikit-image",
    "libwebp",
    "giflib",
    "libjpeg-turbo",
)


def give_up(reason: str) -> None:
    (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)


def webp(image: Image.Image, **parameters: object) -> bytes:
    file = BytesIO()
    image.save(file, "WEBP", **parameters)
    return file.getvalue()


def refused_by_simplejpeg(data: bytes) -> bool:
    colour = "CMYK" if Image.open(BytesIO(data)).mode == "CMYK" else "RGB"
    try:
        simplejpeg.decode_jpeg(data, colour, strict=True)
    except ValueError:
        return True
    return False


@pytest.fixture(scope="module")
def djpeg() -> str:
    """Debian's program of libjpeg-turbo, for which a warning can be an error."""
    found = shutil.which("djpeg")
    if not found or b"-strict" not in subprocess.run([found, "-help"], capture_output=True).stderr:
        give_up("djpeg -strict is not installed; on Debian: sudo apt-get install libjpeg-turbo-progs")
    return found


def test_every_damaged_jpeg_that_a_full_strict_decode_refuses_is_refused():
    damaged = list(damaged_jpegs())

    refused = {name: data for name, data in damaged if refused_by_simplejpeg(data)}

    assert len(damaged) >= 100 and len(refused) >= 60
    assert [name for name, data in refused.items() if strict_problem(data, "JPEG") is None] == []


def test_every_kind_of_damage_is_found():
    found = Counter(name.split(",")[0] for name, data in damaged_jpegs() if strict_problem(data, "JPEG"))

    assert set(found) == {name.split(",")[0] for name, _ in damaged_jpegs()}
    assert min(found.values()) >= 10


def test_the_libjpeg_of_the_system_agrees_on_every_damaged_and_on_every_whole_jpeg(djpeg):
    for name, data in [*damaged_jpegs(), *(("whole", data) for data in clean_jpegs())]:
        command = [djpeg, "-strict", "-outfile", os.devnull]
        refused = subprocess.run(command, input=data, capture_output=True).returncode != 0

        assert (strict_problem(data, "JPEG") is not None) == refused, name


def test_most_of_that_damage_is_decoded_by_pillow_without_a_word():
    """Why all this is here: were it not so, the strict look would be of no use."""
    silent = [name for name, data in damaged_jpegs() if is_decoded(data) and strict_problem(data, "JPEG")]

    assert len(silent) >= 30


def is_decoded(data: bytes) -> bool:
    try:
        Image.open(BytesIO(data)).load()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("data", clean_jpegs(), ids=["baseline", "progressive", "restarts", "gray", "CMYK"])
def test_a_whole_jpeg_is_clean(data):
    assert strict_problem(data, "JPEG") is None


def test_a_jpeg_with_all_kinds_of_metadata_and_bytes_after_its_end_is_clean():
    assert strict_problem(images.jpeg(private=True, exif=images.exif(orientation=6)), "JPEG") is None


def test_a_problem_is_said_in_one_line_of_its_decoder():
    data = images.truncated(images.jpeg())

    assert "Premature end of JPEG file" in strict_problem(data, "JPEG")


def test_every_picture_of_an_mpo_is_looked_at():
    whole = images.mpo()
    second = whole.index(b"\xff\xd8\xff", 4)
    damaged = whole[: second + (len(whole) - second) // 2]

    assert strict_problem(whole, "MPO") is None
    assert strict_problem(damaged, "MPO").startswith("picture 2: ")
    assert strict_problem(damaged, "JPEG").startswith("picture 2: "), "a JPEG whose index names more pictures is one"


def test_an_mpo_whose_second_picture_is_not_there_is_refused():
    whole = images.mpo()

    assert "index" in strict_problem(whole[: whole.index(b"\xff\xd8\xff", 4)], "MPO")


PNGS = {
    "RGB": images.png(),
    "RGBA": images.png(images.photo(mode="RGBA")),
    "palette": images.png(images.photo(mode="P")),
    "one bit": images.png(images.photo(mode="1")),
    "16 bit": images.png(images.photo(mode="I;16")),
    "interlaced": images.interlaced_png(images.photo((37, 23), mode="L")),
    "interlaced and narrow": images.interlaced_png(images.photo((5, 50), mode="L")),
    "animated": images.apng(),
    "with metadata and bytes after its end": images.png(private=True),
}


@pytest.mark.parametrize("data", PNGS.values(), ids=PNGS.keys())
def test_a_whole_png_is_clean(data):
    assert strict_problem(data, "PNG") is None


@pytest.mark.parametrize("data", PNGS.values(), ids=PNGS.keys())
def test_no_bit_of_a_png_can_change_unseen(data):
    end = data.index(b"IEND") + 8
    chance = random.Random(1)
    places = {chance.randrange(8, end) for _ in range(200)}

    assert [place for place in places if strict_problem(with_flipped_bit(data, place), "PNG") is None] == []


def with_flipped_bit(data: bytes, place: int) -> bytes:
    return data[:place] + bytes((data[place] ^ 16,)) + data[place + 1 :]


@pytest.mark.parametrize("data", PNGS.values(), ids=PNGS.keys())
def test_a_png_that_ends_anywhere_early_is_refused(data):
    end = data.index(b"IEND") + 8

    assert [size for size in range(0, end, 41) if strict_problem(data[:size], "PNG") is None] == []


def png_of(rows: bytes, *, packed: bytes | None = None, colour: int = 0, more: tuple[bytes, ...] = ()) -> bytes:
    """A gray PNG of 4 x 4 pixels whose pixel data are `rows`, filters included, with right checksums."""
    header = images.png_chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, colour, 0, 0, 0))
    pixels = images.png_chunk(b"IDAT", zlib.compress(rows) if packed is None else packed)
    return b"\x89PNG\r\n\x1a\n" + header + pixels + b"".join(more) + images.png_chunk(b"IEND", b"")


ROWS = b"\x00abcd" * 4
STREAM = zlib.compress(ROWS)
REFUSED_PNGS = {
    "a row missing": (png_of(ROWS[5:]), "5 bytes of pixels are missing"),
    "half a row missing": (png_of(ROWS[:-2]), "2 bytes of pixels are missing"),
    "a row too many": (png_of(ROWS + ROWS[:5]), "more pixels than"),
    "an unknown filter": (png_of(ROWS[:5] + b"\x05" + ROWS[6:]), "filter"),
    "an unknown filter in the last row": (png_of(ROWS[:15] + b"\x09abcd"), "filter"),
    "a wrong checksum of the stream": (png_of(ROWS, packed=STREAM[:-1] + b"\x00"), "do not unpack"),
    "no checksum of the stream": (png_of(ROWS, packed=STREAM[:-4]), "end early"),
    "bytes after the stream": (png_of(ROWS, packed=STREAM + b"x"), "follows the end"),
    "no palette": (png_of(ROWS, colour=3), "palette"),
    "no colour type": (png_of(ROWS, colour=5), "header"),
    "pixels parted": (
        png_of(
            b"", packed=STREAM[:4], more=(images.png_chunk(b"tEXt", b"a\0b"), images.png_chunk(b"IDAT", STREAM[4:]))
        ),
        "between",
    ),
    "an unknown critical chunk": (png_of(ROWS, more=(images.png_chunk(b"ABcd", b""),)), "ABcd"),
    "no picture": (b"\x89PNG\r\n\x1a\n" + images.png_chunk(b"IEND", b""), "no picture"),
    "no PNG": (images.jpeg(), "does not begin"),
}


@pytest.mark.parametrize("data, words", REFUSED_PNGS.values(), ids=REFUSED_PNGS.keys())
def test_a_png_with_right_checksums_that_differs_from_its_specification_is_refused(data, words):
    assert words in strict_problem(data, "PNG")


def test_the_png_around_those_is_clean():
    assert strict_problem(png_of(ROWS), "PNG") is None


@pytest.mark.parametrize(
    "old, new",
    [
        (b"acTL\x00\x00\x00\x02", b"acTL\x00\x00\x00\x03"),
        (b"fdAT\x00\x00\x00\x02", b"fdAT\x00\x00\x00\x07"),
    ],
    ids=["a frame missing", "out of order"],
)
def test_an_animated_png_needs_all_of_its_frames_in_order(old, new):
    whole = images.apng()
    assert old in whole

    damaged = with_right_checksums(whole.replace(old, new))

    assert "frames" in strict_problem(damaged, "PNG")


def with_right_checksums(data: bytes) -> bytes:
    mended, position = [data[:8]], 8
    while position < len(data):
        end = position + 12 + int.from_bytes(data[position : position + 4], "big")
        mended.append(images.png_chunk(data[position + 4 : position + 8], data[position + 8 : end - 4]))
        position = end
    return b"".join(mended)


WEBPS = {
    "lossy": webp(images.photo()),
    "transparent": webp(images.photo(mode="RGBA")),
    "lossless": webp(images.photo(), lossless=True),
    "animated": webp(images.photo(), save_all=True, append_images=[images.noise((300, 200))], duration=50),
    "with metadata": webp(images.photo(), exif=images.exif(orientation=3), xmp=images.xmp()),
}


@pytest.mark.parametrize("data", WEBPS.values(), ids=WEBPS.keys())
def test_a_whole_webp_is_clean(data):
    assert strict_problem(data, "WEBP") is None


@pytest.mark.parametrize("data", WEBPS.values(), ids=WEBPS.keys())
def test_a_webp_that_ends_anywhere_early_is_refused(data):
    assert [size for size in range(0, len(data), 41) if strict_problem(data[:size], "WEBP") is None] == []


def test_a_webp_whose_container_is_right_and_whose_pixels_end_early_is_refused():
    lossy, lossless = WEBPS["lossy"], WEBPS["lossless"]

    for data in (lossy, lossless):
        pixels = data[20 : 20 + (len(data) - 20) // 3 // 2 * 2]
        chunk = data[12:16] + len(pixels).to_bytes(4, "little") + pixels
        cut = b"RIFF" + (4 + len(chunk)).to_bytes(4, "little") + b"WEBP" + chunk
        assert "does not decode" in strict_problem(cut, "WEBP")


def test_a_file_of_another_format_is_not_taken_for_clean():
    assert strict_problem(images.png(), "JPEG") and strict_problem(images.png(), "WEBP")
    assert strict_problem(b"", "JPEG") and strict_problem(b"", "PNG") and strict_problem(b"", "WEBP")


def test_a_format_that_cannot_be_looked_at_strictly_is_never_called_clean():
    assert "GIF" in strict_problem(b"GIF89a", "GIF")


@pytest.mark.parametrize("format, base", [("JPEG", images.jpeg()), ("PNG", images.png()), ("WEBP", WEBPS["animated"])])
def test_no_damage_at_all_raises(format, base):
    for seed in range(150):
        said = strict_problem(mutated(base, random.Random(seed), base), format)

        assert said is None or (said and "\n" not in said)


def test_no_sample_picture_is_called_damaged():
    problems = {path.name: problem for path in pictures(ROOT / "img") if (problem := problem_of(path))}

    assert problems == {}


def test_no_whole_public_picture_is_called_damaged():
    corpora = ROOT / ".corpora"
    if not corpora.is_dir():
        give_up("no public images here; `make corpora` fetches them")
    found = [path for folder in CLEAN for path in pictures(corpora / folder)]

    problems = {path.name: problem for path in found if (problem := problem_of(path))}

    # 12 bits to a sample are more than the library was built for: it says so, and the file stays as it is.
    assert set(problems) <= {"testorig12.jpg"}
    assert len(found) >= 30


def test_what_is_decoded_strictly_in_full_is_what_pillow_paints_and_is_refused_with_the_same_words():
    whole = 0
    for data in [*clean_jpegs(), *(data for _, data in damaged_jpegs()), *public_jpegs()]:
        with Image.open(BytesIO(data)) as image:
            if image.mode not in ("RGB", "L"):
                continue
            problem = strict_problem(data, "JPEG")
            try:
                pixels = Image.fromarray(jpeg_pixels(data, image.mode))
            except ValueError as error:
                assert str(error) == problem
            else:
                assert problem is None and (pixels.mode, pixels.tobytes()) == (image.mode, image.tobytes())
                whole += 1

    assert whole >= 4


def public_jpegs() -> list[bytes]:
    found = [path for folder in CLEAN for path in pictures(ROOT / ".corpora" / folder) if path.stat().st_size < 500_000]
    return [path.read_bytes() for path in found if format_of(path) == "JPEG" and problem_of(path) is None]


def pictures(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file() and format_of(path) in FORMATS]


def format_of(path: Path) -> str | None:
    with path.open("rb") as file:
        form = sniff(file.read(4_096))
    return form.name if form else None


def problem_of(path: Path) -> str | None:
    return strict_problem(path.read_bytes(), format_of(path))
