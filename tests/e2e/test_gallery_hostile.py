"""Keys, EXIF and error codes are hostile: the page shows them as text, runs nothing and asks nobody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from pipeline.table.items import feed_of
from tests.deployed import Deployment
from tests.e2e.gallery import Gallery, gallery_of, write_records
from tests.hostile_texts import HOSTILE

pytestmark = [pytest.mark.local_cloud, pytest.mark.browser]

#: Would be called by every text that became code.
TRAP = "window.pwned = () => { window.caught = true; };"


@pytest.fixture
def gallery(browser: Browser, deployment: Deployment) -> Iterator[Gallery]:
    with gallery_of(browser, deployment) as gallery:
        gallery.page.add_init_script(TRAP)
        yield gallery


def hostile_record(text: str, outcome: str) -> dict[str, Any]:
    """A record of which every field that the page reads is the text."""
    key = f"hostile/{outcome}/{text}"
    feed = feed_of(key)
    addresses = {"ThumbnailURL": text, "CompressedURL": text}
    return {
        "ImageID": key,
        "Outcome": outcome,
        "Feed": feed,
        "ProcessedAt": f"2024-01-01T00:00:00.{HOSTILE.index(text):06}Z",
        "ErrorCode": text,
        "ImageFormat": text,
        "Placeholder": text,
        **(addresses if outcome == "DONE" else {"Failing": feed}),
    }


def assert_harmless(gallery: Gallery) -> None:
    page = gallery.page
    assert page.evaluate("window.caught ?? false") is False
    assert page.locator("script").count() == 1
    assert (
        page.locator("#images :is(script, iframe, object, embed, form, style, link, meta, base, svg, video)").count()
        == 0
    )
    assert (
        page.evaluate(
            "[...document.querySelectorAll('*')].flatMap(e => e.getAttributeNames()).filter(n => n.startsWith('on'))"
        )
        == []
    )
    assert page.title().endswith("Gallery")
    assert [url for url in gallery.asked if not url.startswith(gallery.address.rsplit("/", 2)[0])] == []
    assert [text for text in gallery.said if "404" not in text] == []
    assert gallery.seen()["violations"] == []


@pytest.mark.parametrize("outcome", ["DONE", "FAILED"])
def test_keys_and_fields_out_of_the_table_are_text(gallery: Gallery, deployment: Deployment, outcome):
    write_records(deployment, (hostile_record(text, outcome) for text in HOSTILE))

    page = gallery.open(f"#/?q=hostile/{outcome}/")
    gallery.wait_for_keys(60)
    page.keyboard.press("End")
    keys = gallery.wait_for_keys(len(HOSTILE))

    assert sorted(keys) == sorted(f"hostile/{outcome}/{text}" for text in HOSTILE)
    assert_harmless(gallery)
    page.locator("#images a").first.click()
    for _ in range(len(HOSTILE) - 1):
        page.keyboard.press("ArrowRight")
    expect(page.locator("#next")).to_have_attribute("aria-disabled", "true")
    assert page.locator("#download").is_hidden()
    page.keyboard.press("Escape")
    assert_harmless(gallery)


def test_camera_names_and_times_out_of_exif_are_text(gallery: Gallery, deployment: Deployment):
    images = [
        {"ImageID": f"{at}.jpg", "Outcome": "DONE", "CameraModel": text, "TakenAt": text, "ProcessedAt": text}
        | {"PixelWidth": text, "PixelHeight": text, "OriginalBytes": text, "SavedPercent": text, "Outputs": text}
        for at, text in enumerate(HOSTILE)
    ]
    answer = json.dumps({"images": images, "cursor": None})
    gallery.page.route("**/images?*", lambda route: route.fulfill(body=answer, content_type="application/json"))
    page = gallery.open()
    gallery.wait_for_keys(len(HOSTILE))

    page.locator("#images a").first.click()
    for text in HOSTILE[:20]:
        expect(page.locator("#facts .factCamera")).to_be_visible()
        assert page.locator("#facts .factCamera").evaluate("e => e.childElementCount") == 1, text
        page.keyboard.press("ArrowRight")

    assert_harmless(gallery)


@pytest.mark.parametrize("text", HOSTILE[::6])
def test_an_address_that_somebody_prepared_does_nothing(gallery: Gallery, text):
    from urllib.parse import quote

    page = gallery.open(
        f"#/image/{quote(text, safe='')}?q={quote(text, safe='')}&view={quote(text)}&sort={quote(text)}"
    )

    expect(page.locator("#stage h2")).to_have_text("This image is not here")
    assert_harmless(gallery)


def answering(body: str) -> Any:
    return lambda route: route.fulfill(body=body)


def test_broken_json_and_odd_shapes_are_an_error_in_words(gallery: Gallery):
    for body in ("", "<html>", "[]", "null", '{"images": {}}', '{"images": [null, 7, {"ImageID": 5}], "cursor": null}'):
        gallery.page.route("**/images?*", answering(body))
        page = gallery.open("#/")
        page.reload()
        expect(page.locator("#notice h2")).to_be_visible()
        page.unroute("**/images?*")

    assert_harmless(gallery)


@pytest.mark.parametrize("body", ["", "{}", "[]", '{"ImageID": 7}'])
def test_an_image_that_is_answered_in_an_odd_shape_is_an_error_in_words(gallery: Gallery, body):
    gallery.page.route("**/image?*", answering(body))

    page = gallery.open("#/image/somewhere/else.jpg")

    expect(page.locator("#lightbox .notice h2")).to_be_visible()
    expect(page.locator("#lightbox").get_by_role("button", name="Try again")).to_be_visible()
    assert_harmless(gallery)


def test_totals_of_an_odd_shape_harm_nothing(gallery: Gallery):
    gallery.page.route("**/stats", answering('{"images": 1, "formats": null, "months": null}'))

    gallery.open("#/")
    gallery.wait_for_keys(60)
    gallery.page.wait_for_timeout(500)

    assert_harmless(gallery)
