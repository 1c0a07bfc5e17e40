"""The page in a real browser, on the real API."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Deployment, eventually
from tests.images import jpeg, photo

pytestmark = [pytest.mark.local_cloud, pytest.mark.browser]

JPEG = jpeg(photo((600, 400)), quality=95)
HOSTILE = "page/<img src=x onerror=document.title='pwned'>.jpg"


@pytest.fixture
def gallery(deployment: Deployment, page):
    """The open gallery with a few pictures in it; `page.said` gathers what the browser complained about."""
    keys = ("page/one.jpg", "page/été + 2.jpg", HOSTILE)
    for key in keys:
        deployment.upload(key, JPEG)
    deployment.upload("page/broken.jpg", JPEG[:200])
    eventually(lambda: all(deployment.record(key) for key in (*keys, "page/broken.jpg")))
    page.said, page.asked = [], []
    page.on("console", lambda message: page.said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.on("request", lambda request: page.asked.append(request.url))
    page.goto(deployment.resources["website-url"])
    page.locator("#images img").first.wait_for()
    return page


def test_the_newest_pictures_are_shown_with_what_was_saved(gallery):
    shown = gallery.locator("#images > li")

    assert shown.count() >= 4
    text = gallery.locator("#images").inner_text()
    assert "one.jpg" in text and "été + 2.jpg" in text and "600 × 400" in text and "−" in text
    gallery.wait_for_function("[...document.querySelectorAll('#images img')].some(img => img.naturalWidth === 256)")


def test_a_picture_that_failed_says_so_in_words(gallery):
    card = gallery.locator("#images > li", has_text="page/broken.jpg")

    assert card.count() == 1 and card.locator("img").count() == 0


def test_a_hostile_key_is_text_and_nothing_else(gallery):
    assert gallery.get_by_text("<img src=x onerror=", exact=False).count() >= 1
    assert gallery.locator("img[onerror]").count() == 0 and gallery.title() != "pwned"


def test_the_page_asks_nobody_else_and_complains_of_nothing(gallery, deployment: Deployment):
    gallery.wait_for_load_state("networkidle")

    assert [url for url in gallery.asked if not url.startswith(deployment.cloud.endpoint_url)] == []
    assert gallery.said == []
