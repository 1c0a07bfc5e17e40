from __future__ import annotations

import errno
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from itertools import product

import pytest
from PIL import Image

from pipeline.images import encode, jpeg_parts, packing, recompress
from pipeline.images.decode import examine, load
from pipeline.images.encoders import ENCODERS, encoders
from pipeline.images.formats import FORMATS
from pipeline.images.options import ImageOptions, Limits, OutputOptions, Preset
from pipeline.images.quantisation import quantisation
from pipeline.images.transform import transform
from tests import images, reference

BUSY = images.jpeg(images.noise((300, 200)), quality=97)


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))


def test_quality_scales_the_tables_as_libjpeg_does():
    assert quantisation(50)[0][:4] == [13, 16, 25, 34]
    assert quantisation(80)[0][:8] == [5, 6, 10, 14, 17, 19, 20, 20]
    assert quantisation(80)[1][:8] == [4, 7, 11, 14, 16, 17, 18, 18]
    assert set(quantisation(100)[0]) == {1}
    assert max(quantisation(1)[0]) == 255


def test_a_compressed_jpeg_has_our_tables_subsampled_colours_and_one_scan():
    compressed = opened(transform(BUSY).outputs[1].data)

    luma, chroma = quantisation(80)
    assert compressed.quantization == {0: luma, 1: chroma}  # type: ignore[attr-defined]
    assert [layer[1:3] for layer in compressed.layer] == [(2, 2), (1, 1), (1, 1)]  # type: ignore[attr-defined]
    assert "progressive" not in compressed.info


def huffman_tables(data: bytes) -> bytes:
    """Of a file from libjpeg, which writes one table into one segment."""
    return b"".join(data[start:end] for marker, start, end in jpeg_parts.segments(data) if marker == 0xC4)


def compressed_by(preset: Preset, data: bytes) -> bytes:
    options = ImageOptions(outputs=(("compressed", OutputOptions(preset=preset)),))
    return transform(data, options).outputs[0].data


#: Of the standard's tables: two for the DC and two for the AC coefficients, each in a segment of its own.
STANDARD_TABLES = 2 * 33 + 2 * 183


def test_a_busy_jpeg_has_the_tables_of_the_standard_because_they_cost_no_time():
    busy = images.jpeg(images.noise((600, 500)), quality=97)

    assert len(huffman_tables(compressed_by(Preset.BALANCED, busy))) == STANDARD_TABLES


@pytest.mark.parametrize("image", (Image.linear_gradient("L").resize((600, 500)), images.noise((300, 200))))
def test_a_jpeg_that_says_little_or_has_few_pixels_has_tables_of_its_own(image: Image.Image):
    plain, packed = (compressed_by(preset, images.jpeg(image, quality=97)) for preset in (Preset.FAST, Preset.BALANCED))

    assert len(huffman_tables(packed)) < STANDARD_TABLES <= len(huffman_tables(plain)) * 2
    assert len(packed) < len(plain)
    assert opened(packed).tobytes() == opened(plain).tobytes()


@pytest.mark.parametrize("form", ("JPEG", "WEBP", "PNG"))
def test_a_preset_that_may_take_longer_makes_fewer_bytes(form: str):
    file = BytesIO()
    images.photo((800, 600)).save(file, form, quality=97, compress_level=0)

    fast, balanced, small = (len(compressed_by(preset, file.getvalue())) for preset in Preset)

    assert small < balanced <= fast


def test_every_preset_writes_every_size_that_the_default_writes():
    sizes = [(100, 100), (4_000, 3_000), (5_000, 4_000), (8_000, 8_000)]
    for name, preset, size in product(ENCODERS, Preset, sizes):
        fits = [any(encoder.fits(size) for encoder in ways) for ways in (ENCODERS[name], encoders(name, preset))]

        assert fits[0] == fits[1], (name, preset, size)


def test_a_small_jpeg_is_progressive_and_an_image_too_large_for_that_is_not():
    small, large = encoders("JPEG", Preset.SMALL)

    assert small.parameters["progressive"] and not large.parameters.get("progressive")
    assert small.fits((6_000, 4_000)) and not small.fits((8_000, 6_000))
    assert "progressive" in opened(compressed_by(Preset.SMALL, BUSY)).info


def test_a_better_quality_costs_more_bytes():
    sizes = []
    for quality in (40, 80, 95):
        options = ImageOptions(outputs=(("compressed", OutputOptions(quality=quality)),))
        sizes.append(len(transform(BUSY, options).outputs[0].data))

    assert sizes == sorted(sizes)
    assert len(set(sizes)) == 3


@pytest.mark.parametrize("form", sorted(row.name for row in FORMATS.values() if row.written))
@pytest.mark.parametrize("mode", ("RGB", "RGBA", "L"))
def test_a_full_size_output_may_have_any_format_of_the_table(form: str, mode: str):
    options = ImageOptions(outputs=(("other", OutputOptions(format=form)),))
    data = images.png(images.photo(mode=mode), exif=images.exif(orientation=6))

    (output,) = transform(data, options).outputs

    assert (output.format, output.content_type, output.size) == (form, FORMATS[form].mime, (200, 300))
    assert opened(output.data).format == form
    if mode != "RGBA" or form not in ("JPEG", "GIF"):
        assert reference.distance(reference.shown(output.data), reference.shown(data)) < 4


def test_transparency_becomes_white_in_a_jpeg():
    options = ImageOptions(outputs=(("flat", OutputOptions(format="JPEG")),))

    (flat,) = transform(images.png(Image.new("RGBA", (20, 20), (0, 0, 0, 0))), options).outputs

    assert opened(flat.data).getpixel((10, 10)) == (255, 255, 255)


def test_outputs_come_in_the_order_of_the_options_and_under_their_names():
    small = OutputOptions(fit=(50, 50), format="WEBP")
    options = ImageOptions(outputs=(("c", OutputOptions()), ("a", small), ("b", small)))

    assert [output.name for output in transform(BUSY, options).outputs] == ["c", "a", "b"]


@pytest.mark.parametrize("mode", ("1", "L", "LA", "P", "RGB", "RGBA"))
def test_without_oxipng_a_png_still_shrinks_without_loss(mode: str):
    data = images.png(images.photo(mode=mode), exif=images.exif(orientation=6), compress_level=0)
    source = examine(data, Limits())
    load(source)

    packed = recompress.by_pillow(source)

    assert packed is not None
    assert len(packed) < len(data)
    assert reference.distance(reference.shown(packed), reference.shown(data)) == 0
    assert opened(packed).getexif() == {0x0112: 6}


def test_without_oxipng_what_pillow_reads_with_a_loss_is_left_alone():
    sixteen = images.raw_png((4, 4), 16, 2, [bytes(range(24))] * 4)

    assert recompress.by_pillow(examine(sixteen, Limits())) is None


class PanicException(BaseException):
    """What pyo3 raises for a panic of Rust code goes by this name."""


@pytest.mark.parametrize("failure", (PanicException, ValueError))
def test_an_optimizer_that_fails_costs_the_saving_and_not_the_image(failure: type[BaseException]):
    def fail(*arguments: object, **options: object) -> bytes:
        raise failure

    data = images.png()

    assert recompress.by_oxipng(examine(data, Limits()), data, fail) is None


@pytest.mark.parametrize("end", (KeyboardInterrupt, SystemExit))
def test_an_end_of_the_program_is_no_failure_of_the_optimizer(end: type[BaseException]):
    def ended(*arguments: object, **options: object) -> bytes:
        raise end

    data = images.png()

    with pytest.raises(end):
        packing.by_oxipng(data, examine(data, Limits()), ended, level=1, seconds=1)


@pytest.mark.parametrize("mode", ("1", "L", "LA", "I;16", "I"))
def test_gray_with_a_profile_stays_gray_by_whatever_name_pillow_calls_it(mode: str):
    asked: dict[str, object] = {}

    def optimize(file: bytes, **options: object) -> bytes:
        asked.update(options)
        return file

    data = images.png()
    source = replace(examine(data, Limits()), profile=b"of gray", image=Image.new(mode, (1, 1)))

    packing.by_oxipng(data, source, optimize, level=1, seconds=1)

    assert (asked["grayscale_reduction"], asked["palette_reduction"]) == (False, False)


def test_a_png_over_the_pixel_cap_is_only_stripped():
    data = images.png(Image.new("L", (3_000, 2_001)), private=True, compress_level=0)

    compressed = transform(data, ImageOptions(outputs=(("compressed", OutputOptions()),))).outputs[0]

    assert compressed.data == examine(data, Limits()).stripped()


def test_the_core_loads_no_plugin_that_it_does_not_need():
    program = (
        "import sys; from tests import images; from pipeline.images.transform import transform;"
        "transform(images.jpeg(images.photo()));"
        "print([name for name in sys.modules if name.startswith(('PIL.TiffImage', 'PIL.Eps', 'boto', 'numpy'))])"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("parameters", [{}, {"optimize": True}, {"progressive": True}])
def test_beside_other_threads_a_jpeg_comes_out_the_same(parameters: dict[str, bool], monkeypatch: pytest.MonkeyPatch):
    def refused(name: str) -> int:
        raise OSError(errno.EMFILE, "too many open files")

    image = images.photo((640, 480))
    alone = encode.saved(image, "JPEG", quality=80, **parameters)

    with ThreadPoolExecutor(1) as pool:
        beside = pool.submit(encode.saved, image, "JPEG", quality=80, **parameters).result()
        monkeypatch.setattr("os.memfd_create", refused, raising=False)
        without_file = pool.submit(encode.saved, image, "JPEG", quality=80, **parameters).result()

    assert alone == beside == without_file
