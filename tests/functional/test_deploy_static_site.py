from pathlib import Path

import pytest

from cli.exits import CommandError
from setup_scripts.deploy_static_site import SITE, Site, content_type, fill, pages

API = "https://abc.lambda-url.us-east-1.on.aws/"
PICTURES = "https://thumbnails.s3.us-east-1.amazonaws.com"
PLACES = Site(PICTURES, API, PICTURES, (PICTURES,))


@pytest.fixture
def site(tmp_path):
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text('<meta content="connect-src __CONNECT_SRC__; img-src __IMG_SRC__">')
    (tmp_path / "assets" / "app.js").write_text("start()")
    (tmp_path / "assets" / "config.json").write_text('{"api": "for developing only"}')
    (tmp_path / ".DS_Store").write_text("x")
    return tmp_path


def test_the_page_comes_last_so_that_all_it_names_is_there(site):
    keys = [page.key for page in pages(site, PLACES)]

    assert keys == ["assets/config.json", "assets/app.js", "index.html"]


def test_the_page_is_told_where_api_and_pictures_are(site):
    import json

    served = {page.key: page for page in pages(site, PLACES)}

    assert json.loads(served["assets/config.json"].data) == {
        "api": API,
        "pictures": PICTURES,
        "recorded": [PICTURES],
    }
    assert served["assets/config.json"].cache_control == "no-cache"
    assert served["assets/app.js"].content_type == "text/javascript; charset=utf-8"
    assert b"connect-src https://abc.lambda-url.us-east-1.on.aws;" in served["index.html"].data
    assert b"img-src https://thumbnails.s3.us-east-1.amazonaws.com" in served["index.html"].data


def test_addresses_without_a_host_need_no_other_source_than_the_page_itself():
    local = Site("http://127.0.0.1:4566/b", "/_aws/lambda-url/x/", "/b", ("http://127.0.0.1:4566/b",))

    assert fill("img-src 'self' __IMG_SRC__; connect-src 'self' __CONNECT_SRC__;", local) == (
        "img-src 'self'; connect-src 'self';"
    )


def test_the_preview_has_an_address_that_others_can_read():
    assert fill('content="__SITE_URL__/assets/card.png"', PLACES) == f'content="{PICTURES}/assets/card.png"'


def test_the_real_page_has_both_places_to_fill_and_no_other_file_needs_them():
    html = (SITE / "index.html").read_text(encoding="utf-8")

    assert " __CONNECT_SRC__" in html and " __IMG_SRC__" in html
    for page in pages(SITE, PLACES):
        assert b"__CONNECT_SRC__" not in page.data and b"__IMG_SRC__" not in page.data


def test_every_file_of_the_real_page_has_a_content_type_of_its_own():
    for page in pages(SITE, PLACES):
        assert page.content_type != "application/octet-stream", page.key


def test_the_content_type_does_not_depend_on_the_machine():
    assert content_type(Path("app.MJS")) == "text/javascript; charset=utf-8"
    assert content_type(Path("unknown.zzz")) == "application/octet-stream"


def test_a_site_without_its_page_is_told(tmp_path):
    with pytest.raises(CommandError, match=r"index.html is missing"):
        list(pages(tmp_path, PLACES))
