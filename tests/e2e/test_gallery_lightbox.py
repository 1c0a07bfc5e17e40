"""The lightbox, by mouse, keyboard, finger and link, in a real browser."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.gallery import ODD, Gallery, Shown, gallery_of, tile

pytestmark = [pytest.mark.local_cloud, pytest.mark.browser]


def test_the_lightbox_opens_by_mouse_with_all_that_is_known(gallery: Gallery):
    page = gallery.open("#/?q=page/")
    gallery.wait_for_keys(4)

    tile(page, ODD).locator("a").click()

    expect(page.locator("#lightbox")).to_be_visible()
    expect(page.locator(".picture.here .whole")).to_have_js_property("naturalWidth", 600)
    facts = page.locator("#facts").inner_text()
    assert "600 × 400" in facts and "JPEG" in facts and "−" in facts and ODD in facts and "kB" in facts
    with page.expect_download() as download:
        page.evaluate("document.getElementById('download').target = ''")
        page.locator("#download").click()
    assert download.value.suggested_filename == "été + 2 & 50%.jpg"


def test_the_link_can_be_copied(gallery: Gallery):
    gallery.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = gallery.open("#/image/page/one.jpg")
    expect(page.locator("#facts")).to_contain_text("600 × 400")

    page.get_by_role("button", name="Copy link").click()

    expect(page.locator("#announcement")).to_have_text("Link copied")
    assert page.evaluate("navigator.clipboard.readText()") == page.url


def test_the_keyboard_goes_through_grid_and_lightbox(gallery: Gallery):
    page = gallery.open("#/?q=many/")
    gallery.wait_for_keys(lambda keys: len(keys) >= 60)
    focused = "document.activeElement.closest('li')?.dataset.key"

    tile(page, "many/0000.jpg").locator("a").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused) == "many/0001.jpg"
    page.keyboard.press("ArrowDown")
    below = page.evaluate(focused)
    assert below > "many/0003.jpg"
    page.keyboard.press("ArrowUp")
    assert page.evaluate(focused) == "many/0001.jpg"
    page.keyboard.press("Enter")
    expect(page.locator("#lightbox-title")).to_have_text("0001.jpg")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#lightbox-title")).to_have_text("0003.jpg")
    page.keyboard.press("Escape")

    expect(page.locator("#lightbox")).to_be_hidden()
    assert page.evaluate(focused) == "many/0003.jpg"
    assert unquote(page.url).endswith("#/?q=many/")


def test_in_the_lightbox_tab_stays_inside(gallery: Gallery):
    page = gallery.open("#/image/page/one.jpg")
    expect(page.locator("#facts")).to_contain_text("600 × 400")

    inside = []
    for _ in range(8):
        page.keyboard.press("Tab")
        inside.append(
            page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")
        )

    assert all(inside)


def test_a_link_to_an_image_survives_reload_and_back(gallery: Gallery):
    page = gallery.open("#/?q=page/")
    gallery.wait_for_keys(4)
    tile(page, ODD).locator("a").click()
    expect(page.locator("#lightbox-title")).to_have_text("été + 2 & 50%.jpg")

    page.reload()
    expect(page.locator("#facts")).to_contain_text("600 × 400")
    page.go_back()

    expect(page.locator("#lightbox")).to_be_hidden()
    assert len(gallery.wait_for_keys(4)) == 4
    page.go_forward()
    expect(page.locator("#lightbox-title")).to_have_text("été + 2 & 50%.jpg")


def test_a_link_to_an_image_that_is_gone_says_so(gallery: Gallery):
    page = gallery.open("#/image/page/none.jpg")

    expect(page.locator("#stage h2")).to_have_text("This image is not here")
    page.keyboard.press("Escape")
    expect(page.locator("#lightbox")).to_be_hidden()


def test_a_finger_goes_on_to_the_next_image(browser: Browser, shown: Shown):
    phone = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
    with gallery_of(browser, shown.deployment, **phone) as gallery:
        page = gallery.open("#/?q=many/")
        gallery.wait_for_keys(lambda keys: len(keys) >= 60)
        tile(page, "many/0000.jpg").locator("a").tap()
        expect(page.locator("#lightbox-title")).to_have_text("0000.jpg")

        swipe(page, (300, 300), (60, 310))
        expect(page.locator("#lightbox-title")).to_have_text("0001.jpg")
        swipe(page, (60, 300), (300, 290))
        expect(page.locator("#lightbox-title")).to_have_text("0000.jpg")
        page.locator("#close").click()  # a tap would only end the fling

        expect(page.locator("#lightbox")).to_be_hidden()
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        assert gallery.said == []


def swipe(page: Page, begin: tuple[int, int], end: tuple[int, int]) -> None:
    client = page.context.new_cdp_session(page)
    for kind, points in (("touchStart", [begin]), ("touchMove", [end]), ("touchEnd", [])):
        touches = [{"x": x, "y": y} for x, y in points]
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})
    client.detach()
