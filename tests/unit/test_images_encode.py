from __future__ import annotations

import subprocess
import sys
from io import BytesIO

import pytest
from PIL import Image

from pipeline.images import recompress
from pipeline.images.decode import examine, load
from pipeline.images.encode import quantisation
from pipeline.images.formats import FORMATS
from pipeline.images.options import ImageOptions, Limits, OutputOptions
from pipeline.images.transform import transform
from tests import images, reference

BUSY = images.jpeg(images.noise((300, 200)), quality=97)


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(data))


def test_quality_scales_the_table_as_libjpeg_does():
    assert quantisation(50)[0][:4] == [16, 16, 16, 18]
    assert quantisation(80)[0][:8] == [6, 6, 6, 7, 10, 15, 22, 34]
    assert set(quantisation(100)[0]) == {1}
    assert max(quantisation(1)[0]) == 255


def test_a_compressed_jpeg_has_our_tables_subsampled_colours_and_one_scan():
    compressed = opened(transform(BUSY).outputs[1].data)

    luma, chroma = quantisation(80)
    assert compressed.quantization == {0: luma, 1: chroma}  # type: ignore[attr-defined]
    assert [layer[1:3] for layer in compressed.layer] == [(2, 2), (1, 1), (1, 1)]  # type: ignore[attr-defined]
    assert "progressive" not in compressed.info


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
