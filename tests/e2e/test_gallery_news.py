"""What comes and goes while somebody looks at the page."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.gallery import Gallery, Shown, gallery_of
from tests.images import jpeg, photo
from tests.waiting import eventually

pytestmark = [pytest.mark.local_cloud, pytest.mark.browser]


JPEG = jpeg(photo((600, 400)), quality=95)


def test_images_appear_by_themselves_while_an_upload_runs(gallery: Gallery, shown: Shown):
    page = gallery.open()
    gallery.wait_for_keys(lambda keys: len(keys) >= 60)
    before = page.locator("#totals").inner_text()

    shown.deployment.upload("news/live.jpg", JPEG)

    gallery.wait_for_keys(lambda keys: keys[0] == "news/live.jpg")
    expect(page.locator("#totals")).not_to_have_text(before, use_inner_text=True, timeout=30_000)
    shown.deployment.cloud.client("s3").delete_object(
        Bucket=shown.deployment.resources["images-bucket"], Key="news/live.jpg"
    )
    gallery.wait_for_keys(lambda keys: "news/live.jpg" not in keys)


def test_whoever_reads_further_down_is_told_of_news_and_stays_where_they_are(gallery: Gallery, shown: Shown):
    page = gallery.open()
    gallery.wait_for_keys(lambda keys: len(keys) >= 60)
    page.mouse.wheel(0, 600)
    eventually(lambda: page.evaluate("scrollY > 300"))
    place = page.evaluate("scrollY")

    shown.deployment.upload("news/later.jpg", JPEG)
    expect(page.locator("#arrived")).to_contain_text("1 new", timeout=30_000)
    assert page.evaluate("scrollY") == place
    page.locator("#arrived").click()

    assert gallery.wait_for_keys(lambda keys: keys[0] == "news/later.jpg")
    assert page.evaluate("scrollY") == 0
    shown.deployment.cloud.client("s3").delete_object(
        Bucket=shown.deployment.resources["images-bucket"], Key="news/later.jpg"
    )


def test_a_hidden_tab_asks_for_nothing(gallery: Gallery):
    page = gallery.open("#/?q=page/")
    gallery.wait_for_keys(4)
    page.evaluate(
        "Object.defineProperty(document, 'hidden', {value: true, configurable: true});"
        "document.dispatchEvent(new Event('visibilitychange'))"
    )
    page.wait_for_timeout(500)  # an answer may be on its way
    gallery.asked.clear()
    page.wait_for_timeout(3_500)

    assert gallery.asked == []
    with page.expect_request("**/stats"):
        page.evaluate("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")


#: In a small window the end of the first page is far away, and nothing asks for the second.
SMALL = {"width": 400, "height": 600}


class Answers:
    """What the API says to whom asks for the first page: its own answer, changed."""

    def __init__(self, gallery: Gallery) -> None:
        self.change = lambda page: page
        self._page = gallery.page
        gallery.page.route("**/images?*", self._answer)

    def _answer(self, route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json=self.change(answer.json()))

    def look_again(self) -> None:
        """Let the page look for news, and wait until it has its answer."""
        with self._page.expect_response("**/images?*"):
            self._page.evaluate("dispatchEvent(new Event('online'))")
        self._page.wait_for_timeout(200)


def test_where_an_image_went_no_older_one_is_taken_for_a_new_one(browser: Browser, shown: Shown):
    with gallery_of(browser, shown.deployment, viewport=SMALL) as gallery:
        answers = Answers(gallery)
        answers.change = lambda page: {**page, "images": page["images"][:40]}
        gallery.open()
        before = gallery.wait_for_keys(40)

        answers.change = lambda page: {**page, "images": page["images"][1:41]}
        answers.look_again()

        assert gallery.keys() == before[1:]
        assert gallery.said == []


def test_a_first_page_without_images_that_leads_on_takes_none_away(browser: Browser, shown: Shown):
    with gallery_of(browser, shown.deployment, viewport=SMALL) as gallery:
        answers = Answers(gallery)
        gallery.open()
        before = gallery.wait_for_keys(lambda keys: len(keys) >= 60)

        answers.change = lambda page: {**page, "images": []}
        answers.look_again()

        assert gallery.keys() == before
        assert gallery.said == []
