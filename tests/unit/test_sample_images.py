"""The pictures in img/ are what the README, the gallery and the other tests take them for."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from PIL import ExifTags, Image, ImageOps

from img import render
from img.scenes.files import Picture

FOLDER = Path(render.__file__).parent
FILES = sorted(path for path in FOLDER.rglob("*") if path.suffix in (".jpg", ".png"))


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
def test_a_sample_is_a_whole_jpeg_or_png_as_its_name_says(path):
    image = opened(path.relative_to(FOLDER).as_posix())

    assert image.format == {".jpg": "JPEG", ".png": "PNG"}[path.suffix]


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


def test_the_statue_is_a_small_portrait():
    assert opened("statue_small.jpg").size == (800, 1000)


def test_one_key_has_a_folder_a_space_and_a_letter_beyond_ascii():
    assert (FOLDER / "viajes" / "playa en otoño.jpg").is_file()


@pytest.mark.parametrize("path", ["milky_way.jpg", "island_poster.png"])
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
