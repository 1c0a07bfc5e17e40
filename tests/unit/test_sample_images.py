"""The pictures in img/ are what the README, the gallery and the other tests take them for."""

from __future__ import annotations

import hashlib
import io
from itertools import pairwise
from pathlib import Path

import pytest
from PIL import ExifTags, Image, ImageChops, ImageOps, ImageSequence, ImageStat

from img import render
from img.scenes.files import Picture
from pipeline.images.transform import transform
from setup_scripts.folder import read_folder

FOLDER = Path(render.__file__).parent
FORMATS = {
    ".avif": "AVIF",
    ".gif": "GIF",
    ".jpg": "JPEG",
    ".mpo": "MPO",
    ".png": "PNG",
    ".tif": "TIFF",
    ".webp": "WEBP",
}
FILES = sorted(path for path in FOLDER.rglob("*") if path.suffix in FORMATS)


def opened(name: str) -> Image.Image:
    with Image.open(FOLDER / name) as image:
        image.load()
    return image


def test_there_are_twelve_or_more_samples_in_less_than_twelve_megabytes():
    assert len(FILES) >= 12
    assert sum(path.stat().st_size for path in FILES) < 12_000_000


def test_the_folder_holds_exactly_the_pictures_that_the_script_paints():
    assert {path.relative_to(FOLDER).as_posix() for path in FILES} == {picture.path for picture in render.PICTURES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_sample_is_a_whole_image_of_the_format_that_its_name_says(path):
    image = opened(path.relative_to(FOLDER).as_posix())

    assert image.format == FORMATS[path.suffix]


def test_the_samples_are_of_all_these_formats_and_the_uploader_takes_every_one():
    found = read_folder(FOLDER)

    assert {path.suffix for path in FILES} == FORMATS.keys()
    assert {image.path for image in found.images} == set(FILES)
    assert {image.content_type for image in found.images} == {
        "image/avif",
        "image/gif",
        "image/jpeg",
        "image/png",
        "image/tiff",
        "image/webp",
    }


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.name != "mountain_ridges_24mp.jpg"], ids=lambda p: p.name
)
def test_a_sample_becomes_a_thumbnail_that_is_not_blank_and_a_file_that_is_not_larger(path):
    thumbnail, compressed = transform(path.read_bytes()).outputs

    with Image.open(io.BytesIO(thumbnail.data)) as shown:
        spread = ImageStat.Stat(shown.convert("L")).stddev[0]
    assert max(thumbnail.size) == 256
    assert spread > 10
    assert len(compressed.data) <= path.stat().st_size


def test_formats_shapes_and_transparency_vary():
    images = [ImageOps.exif_transpose(opened(path.relative_to(FOLDER).as_posix())) for path in FILES]
    shapes = {(image.width > image.height) - (image.width < image.height) for image in images}

    assert shapes == {-1, 0, 1}
    assert any(image.width >= 2 * image.height for image in images), "a panorama"
    assert any(image.mode == "RGBA" and image.getchannel("A").getextrema()[0] == 0 for image in images)


def test_one_jpeg_has_24_megapixels_in_at_most_four_megabytes():
    large = FOLDER / "mountain_ridges_24mp.jpg"

    assert opened(large.name).size == (6000, 4000)
    assert large.stat().st_size <= 4_000_000


def test_the_forest_lies_on_its_side_and_is_shown_upright():
    image = opened("forest_in_fog.jpg")

    assert image.getexif()[ExifTags.Base.Orientation] == 6
    assert image.width > image.height
    assert ImageOps.exif_transpose(image).size == (image.height, image.width)


def test_the_ocean_tells_where_when_and_with_which_camera():
    exif = opened("open_ocean.jpg").getexif()
    taken = exif.get_ifd(ExifTags.IFD.Exif)
    place = exif.get_ifd(ExifTags.IFD.GPSInfo)

    assert exif[ExifTags.Base.Model] == "Imaginary One"
    assert taken[ExifTags.Base.DateTimeOriginal] == "2024:10:14 18:31:07"
    assert taken[ExifTags.Base.OffsetTimeOriginal] == "-02:00"
    assert place[ExifTags.GPS.GPSLatitude] == (31.0, 25.0, 12.0)
    assert place[ExifTags.GPS.GPSLongitudeRef] == "W"


def test_one_sample_names_its_author_and_rights():
    exif = opened("alps_panorama.jpg").getexif()

    assert exif[ExifTags.Base.Artist]
    assert exif[ExifTags.Base.Copyright]


@pytest.mark.parametrize("name", ["lighthouse.gif", "ripples.webp"])
def test_an_animation_moves_for_ever_in_at_most_400_kilobytes(name):
    with Image.open(FOLDER / name) as animation:
        frames = [frame.convert("RGB").tobytes() for frame in ImageSequence.Iterator(animation)]

        assert len(set(frames)) == len(frames) >= 24
        assert animation.info["loop"] == 0
        assert animation.info["duration"] == the_picture(name).frame_ms
    assert (FOLDER / name).stat().st_size <= 400_000


@pytest.mark.parametrize("name", ["lighthouse.gif", "ripples.webp"])
def test_an_animation_ends_about_where_it_began(name):
    frames = the_picture(name).paint((120, 80))

    steps = [difference(before, after) for before, after in pairwise((*frames, frames[0]))]

    assert steps[-1] <= 1.5 * max(steps[:-1])


def test_the_moon_has_more_shades_than_eight_bits_can_tell():
    moon = opened("moon_16_bit.png")

    assert moon.mode == "I;16"
    assert len(set(moon.get_flattened_data())) > 10_000


def test_the_proof_is_in_four_inks_and_black_does_what_all_colours_share():
    proof = opened("poster_proof_cmyk.jpg")

    assert proof.mode == "CMYK"
    assert proof.getchannel("K").getextrema() == (0, 255)


def test_the_stereo_picture_has_two_views_of_one_size_that_differ():
    with Image.open(FOLDER / "stereo_alps.mpo") as pair:
        left, right = [frame.copy() for frame in ImageSequence.Iterator(pair)]

    assert left.size == right.size
    assert difference(left, right) > 5


def test_the_scan_is_gray_packed_by_lzw_and_says_how_fine_it_is():
    with Image.open(FOLDER / "statue_engraving.tif") as scan:
        assert (scan.mode, scan.info["compression"], scan.info["dpi"]) == ("L", "tiff_lzw", (300, 300))


def test_the_statue_is_a_small_portrait():
    assert opened("statue_small.jpg").size == (800, 1000)


def test_one_key_has_a_folder_a_space_and_a_letter_beyond_ascii():
    assert (FOLDER / "viajes" / "playa en otoño.jpg").is_file()


@pytest.mark.parametrize(
    "path",
    [
        "milky_way.jpg",
        "island_poster.png",
        "lighthouse.gif",
        "moon_16_bit.png",
        "poster_proof_cmyk.jpg",
        "statue_engraving.tif",
        "northern_lights_small.avif",
    ],
)
def test_painting_a_picture_twice_gives_the_same_bytes(path):
    picture = the_picture(path)

    first, second = (hashlib.sha256(picture.encode(picture.paint((180, 240)))).digest() for _ in range(2))

    assert first == second


def test_the_script_writes_the_pictures_that_it_is_asked_for(tmp_path, capsys):
    ended = render.main(["harbour_chart.png", "--into", str(tmp_path)])

    assert ended == 0
    written = tmp_path / "harbour_chart.png"
    assert capsys.readouterr().out == f"{written.stat().st_size}\t{written}\n"
    assert [path.name for path in tmp_path.iterdir()] == ["harbour_chart.png"]


def test_the_script_names_its_pictures_when_it_is_asked_for_another(capsys):
    with pytest.raises(SystemExit) as ended:
        render.main(["mona_lisa.jpg"])

    assert ended.value.code == 2
    assert "statue_small.jpg" in capsys.readouterr().err


def the_picture(path: str) -> Picture:
    return next(picture for picture in render.PICTURES if picture.path == path)


def difference(one: Image.Image, other: Image.Image) -> float:
    """The mean over all samples, of 255."""
    between = ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).mean
    return sum(between) / len(between)
