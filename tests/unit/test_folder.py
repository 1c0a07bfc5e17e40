import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli.exits import CommandError
from setup_scripts.folder import default_folder, read_folder

ROOT = Path(__file__).resolve().parents[2]
JPEG, PNG = b"\xff\xd8\xff\xe0rest", b"\x89PNG\r\n\x1a\nrest"


def write(folder, name, data):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def refuse_to_list(name, error, monkeypatch):
    """What the system answers for a folder that went, or that is another's: root may list them all."""
    listed = os.scandir

    def scandir(path):
        if Path(path).name == name:
            raise error
        return listed(path)

    monkeypatch.setattr(os, "scandir", scandir)


def test_keys_are_paths_below_the_folder_letter_for_letter(tmp_path):
    names = ["a b+c%.jpg", "sub/été.jpg", "sub/e\u0301te\u0301.jpg", "sub/deep/<img>.png"]
    for name in names:
        write(tmp_path, name, JPEG)

    assert sorted(image.key for image in read_folder(tmp_path).images) == sorted(names)


@pytest.mark.skipif(os.name != "posix", reason="elsewhere names are text, in no locale's encoding")
def test_keys_are_the_same_where_the_locale_has_only_ascii(tmp_path):
    write(tmp_path, "sub/été 🖼.jpg", JPEG)
    program = "from pathlib import Path; from setup_scripts.folder import path_of, read_folder; "
    program += "print(ascii([image.key for image in read_folder(Path('.')).images if path_of(image.key, Path('.')) "
    program += "== image.path and image.path.is_file()]))"
    ascii_only = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "PYTHONPATH": str(ROOT)}

    printed = subprocess.check_output([sys.executable, "-c", program], cwd=tmp_path, env=os.environ | ascii_only)

    assert ast.literal_eval(printed.decode()) == ["sub/été 🖼.jpg"]


def test_the_content_type_is_that_of_the_content_not_of_the_name(tmp_path):
    write(tmp_path, "photo.jpg", PNG)
    write(tmp_path, "nameless", JPEG)
    write(tmp_path, "film.WEBP", b"RIFF\x00\x00\x00\x00WEBPVP8 ")

    found = {image.key: image.content_type for image in read_folder(tmp_path).images}

    assert found == {"photo.jpg": "image/png", "nameless": "image/jpeg", "film.WEBP": "image/webp"}


def test_a_file_that_is_called_an_image_is_sent_though_its_content_is_none(tmp_path):
    write(tmp_path, "empty.jpg", b"")
    write(tmp_path, "broken.PNG", b"rubbish")

    assert {image.key for image in read_folder(tmp_path).images} == {"empty.jpg", "broken.PNG"}


def test_other_files_are_left_out_and_told(tmp_path):
    write(tmp_path, "paint.py", b"print()")
    write(tmp_path, ".DS_Store", b"x")
    write(tmp_path, ".git/a.jpg", JPEG)
    write(tmp_path, "__pycache__/x.pyc", b"x")
    write(tmp_path, "a.jpg", JPEG)

    found = read_folder(tmp_path)

    assert [image.key for image in found.images] == ["a.jpg"]
    assert [path.name for path in found.ignored] == ["paint.py"]


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
def test_a_link_upwards_does_not_send_the_walk_in_circles(tmp_path):
    write(tmp_path, "sub/a.jpg", JPEG)
    (tmp_path / "sub" / "up").symlink_to(tmp_path)

    assert [image.key for image in read_folder(tmp_path).images] == ["sub/a.jpg"]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CommandError, match="nowhere is not a folder"):
        read_folder(tmp_path / "nowhere")


def test_a_folder_whose_name_is_too_long_to_be_one_is_named():
    with pytest.raises(CommandError, match="is not a folder"):
        read_folder(Path("a" * 300))


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such files")
@pytest.mark.timeout(20)
def test_pipes_and_devices_are_left_out_and_not_waited_for(tmp_path):
    write(tmp_path, "a.jpg", JPEG)
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "endless.jpg").symlink_to("/dev/zero")

    found = read_folder(tmp_path)

    assert [image.key for image in found.images] == ["a.jpg"]
    assert sorted(path.name for path in found.ignored) == ["endless.jpg", "pipe.jpg"]


def test_a_folder_that_goes_while_it_is_read_is_empty(tmp_path, monkeypatch):
    write(tmp_path, "a.jpg", JPEG)
    write(tmp_path, "sub/b.jpg", JPEG)
    refuse_to_list("sub", FileNotFoundError(2, "No such file or directory"), monkeypatch)

    assert [image.key for image in read_folder(tmp_path).images] == ["a.jpg"]


@pytest.mark.parametrize(("present", "chosen"), [(["img"], "img"), (["IMG"], "IMG"), ([], "img")])
def test_the_folder_is_img_or_else_IMG(tmp_path, present, chosen):
    for name in present:
        (tmp_path / name).mkdir()

    assert default_folder(tmp_path).name == chosen


def test_a_folder_that_cannot_be_listed_is_no_empty_one(tmp_path, monkeypatch):
    write(tmp_path, "sub/a.jpg", JPEG)
    refuse_to_list("sub", PermissionError(13, "Permission denied"), monkeypatch)

    with pytest.raises(PermissionError, match="denied"):
        read_folder(tmp_path)


def test_a_linked_folder_is_named_among_what_is_left_out(tmp_path):
    write(tmp_path, "here/a.jpg", JPEG)
    (tmp_path / "here" / "back").symlink_to(tmp_path)

    assert [path.name for path in read_folder(tmp_path / "here").ignored] == ["back"]
