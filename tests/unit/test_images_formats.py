"""Formats are told by their content, and each loads only what it needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pipeline.images.formats import FORMATS, sniff
from pipeline.images.transform import transform
from tests import bombs, formats, images

FIRST_BYTES = {
    "JPEG": (b"\xff\xd8\xff\xe0\x00\x10JFIF", b"\xff\xd8\xff\xdb"),
    "PNG": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR",),
    "GIF": (b"GIF87a\x01\x00", b"GIF89a\x01\x00"),
    "WEBP": tuple(b"RIFF\x24\x00\x00\x00WEBP" + kind for kind in (b"VP8 ", b"VP8L", b"VP8X")),
    "AVIF": (
        b"\x00\x00\x00\x1cftypavif\x00\x00\x00\x00mif1miafMA1B",
        b"\x00\x00\x00\x18ftypavis\x00\x00\x00\x00msf1avif",
        b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1avif",
    ),
    "HEIF": (
        b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic",
        b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic",
        b"\x00\x00\x00\x18ftypheix\x00\x00\x00\x00mif1avif",
    ),
    "TIFF": (b"II*\x00\x08\x00\x00\x00", b"MM\x00*\x00\x00\x00\x08"),
    "BMP": (b"BM" + bytes(12) + b"\x28\x00\x00\x00", b"BM" + bytes(12) + b"\x7c\x00\x00\x00"),
    None: (
        b"",
        b"BM",
        b"GIF",
        b"RIFF\x24\x00\x00\x00WEBPmore",
        b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isommp41",
        # A brand that stands behind the end of the list is none.
        b"\x00\x00\x00\x10ftypmif1\x00\x00\x00\x00avif",
        b"II+\x00\x08\x00\x00\x00",
        b"%PDF-1.7",
    ),
}


@pytest.mark.parametrize(("name", "data"), [(name, data) for name, rows in FIRST_BYTES.items() for data in rows])
def test_first_bytes_tell_the_format(name: str | None, data: bytes):
    found = sniff(data + bytes(20))

    assert (found and found.name) == name


def test_every_format_has_examples_here_and_a_name_of_its_own():
    assert set(FORMATS) == FIRST_BYTES.keys() - {None}
    assert len({row.ext for row in FORMATS.values()}) == len(FORMATS)


def loaded_by(data: bytes) -> set[str]:
    program = (
        "import sys; from pipeline.images.transform import transform; transform(sys.stdin.buffer.read());"
        "print(*[name for name in sys.modules if 'PIL.' in name or name.startswith(('pi_heif', 'numpy'))])"
    )
    done = subprocess.run([sys.executable, "-c", program], input=data, capture_output=True, check=True, timeout=60)
    return {name.removeprefix("PIL.") for name in done.stdout.decode().split()}


def test_only_a_heic_loads_the_library_for_it():
    plugins = {"AvifImagePlugin", "TiffImagePlugin", "pi_heif"}

    assert loaded_by(images.png()) & plugins == set()
    assert loaded_by(formats.tiff()) & plugins == {"TiffImagePlugin"}
    assert loaded_by(formats.heic()) & plugins == {"pi_heif"}


@pytest.mark.parametrize("data", (bombs.bmp_in_runs(4, 2, b"\x04\x07\x00\x00\x04\x09\x00\x01"), formats.bmp()))
def test_bitmaps_are_read_in_runs_and_without(data: bytes):
    assert transform(data).outputs[1].format == "JPEG"
