"""The page in a real browser, on the real API of a local deployment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from pipeline.items import feed_of
from tests.e2e.conftest import Deployment, eventually
from tests.e2e.gallery import Gallery, gallery_of, write_records
from tests.images import jpeg, photo, png

pytestmark = [pytest.mark.local_cloud, pytest.mark.browser]

JPEG = jpeg(photo((600, 400)), quality=95)
ODD = "page/été + 2 & 50%.jpg"
MANY = 1_000


@dataclass(frozen=True)
class Shown:
    """What the tests find in the gallery: a few real pictures, a real problem and a thousand records of one picture."""

    deployment: Deployment
    picture: dict[str, Any]


@pytest.fixture(scope="module")
def shown(deployment: Deployment) -> Shown:
    deployment.upload("page/one.jpg", JPEG)
    deployment.upload(ODD, JPEG)
    deployment.upload("page/tall.png", png(photo((200, 400), "RGBA")))
    deployment.upload("page/broken.jpg", JPEG[:200])
    keys = ["page/one.jpg", ODD, "page/tall.png", "page/broken.jpg"]
    eventually(lambda: all(deployment.record(key) for key in keys))
    picture = deployment.record("page/one.jpg")
    assert picture
    write_records(deployment, (copy_of(picture, number) for number in range(MANY)))
    return Shown(deployment, picture)


def copy_of(picture: dict[str, Any], number: int) -> dict[str, Any]:
    """A record that shows the same picture under another name, one minute older for each."""
    key = f"many/{number:04}.jpg"
    at = datetime(2025, 6, 1, tzinfo=UTC) - timedelta(minutes=number)
    from decimal import Decimal

    plain = {name: Decimal(str(value)) if isinstance(value, (int, float)) else value for name, value in picture.items()}
    plain.pop("Outputs", None)
    return {
        **plain,
        "ImageID": key,
        "Feed": feed_of(key),
        "OriginalBytes": 1_000 * (number + 1),
        "ProcessedAt": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }


@pytest.fixture
def gallery(browser: Browser, shown: Shown) -> Iterator[Gallery]:
    with gallery_of(browser, shown.deployment, viewport={"width": 1280, "height": 800}) as gallery:
        yield gallery
        assert gallery.seen()["violations"] == []


def tile(page: Page, key: str) -> Any:
    return page.locator(f'#images > li[data-key="{key}"]')


def test_the_first_page_is_there_at_once_and_nothing_jumps(gallery: Gallery):
    page = gallery.open()
    gallery.wait_for_keys(lambda keys: len(keys) >= 60)
    page.wait_for_load_state("networkidle")

    assert gallery.seen()["paint"] <= 1000
    assert gallery.seen()["shift"] <= 0.02
    assert page.locator("#images img.here").count() > 5
    assert [url for url in gallery.asked if not url.startswith(shown_host(gallery))] == []
    assert gallery.said == []


def shown_host(gallery: Gallery) -> str:
    match = re.match(r"http://127\.0\.0\.1:\d+/", gallery.address)
    assert match
    return match[0]


def test_the_page_also_works_under_the_other_name_of_this_machine(gallery: Gallery):
    gallery.address = gallery.address.replace("127.0.0.1", "localhost")
    page = gallery.open("#/?q=page/")
    gallery.wait_for_keys(4)

    expect(tile(page, "page/one.jpg").locator("img.here")).to_be_visible()
    assert gallery.said == []


def test_the_end_is_reached_by_scrolling_alone_and_no_image_comes_twice(gallery: Gallery):
    page = gallery.open("#/?q=many/")
    gallery.wait_for_keys(lambda keys: len(keys) >= 60)
    for _ in range(100):
        if len(gallery.keys()) == MANY:
            break
        page.mouse.wheel(0, 20_000)
        page.wait_for_timeout(30)

    assert gallery.wait_for_keys(MANY) == [f"many/{number:04}.jpg" for number in range(MANY)]
    expect(page.locator("#more")).to_be_hidden()
    assert gallery.seen()["shift"] <= 0.02


def test_the_button_leads_on_too(gallery: Gallery):
    page = gallery.open("#/?q=many/&sort=largest")
    # How many a page holds depends on what else is new in the table.
    before = gallery.wait_for_keys(lambda keys: len(keys) > 0)

    page.locator("#more").click()

    after = gallery.wait_for_keys(lambda keys: len(keys) > len(before))
    assert before == sorted(before, reverse=True) and after == sorted(after, reverse=True)
    expect(page.locator("#sorted")).to_contain_text(str(len(after)))


def test_searching_as_one_types_finds_what_begins_so(gallery: Gallery):
    page = gallery.open()
    gallery.wait_for_keys(lambda keys: len(keys) >= 60)

    page.keyboard.press("/")
    page.keyboard.type("page/o")

    assert gallery.wait_for_keys(1) == ["page/one.jpg"]
    assert unquote(page.url).endswith("#/?q=page/o")
    page.reload()
    assert gallery.wait_for_keys(1) == ["page/one.jpg"]
    expect(page.locator("#q")).to_have_value("page/o")


def test_filters_narrow_the_list_and_the_back_button_widens_it_again(gallery: Gallery):
    page = gallery.open("#/?q=page/")
    assert len(gallery.wait_for_keys(4)) == 4

    page.locator("#format").select_option("PNG")
    assert gallery.wait_for_keys(1) == ["page/tall.png"]
    page.go_back()
    gallery.wait_for_keys(4)
    page.locator("#size").select_option("small")
    page.locator(".views label", has_text="Processed").click()
    assert "page/broken.jpg" not in gallery.wait_for_keys(lambda keys: 0 < len(keys) < 4)
    page.locator("#month").select_option("2025-06")

    expect(page.locator("#notice h2")).to_have_text("Nothing matches")
    page.get_by_role("button", name="Clear").click()
    gallery.wait_for_keys(lambda keys: len(keys) >= 60)
    assert page.url.endswith("#/")


def test_orders_by_time_are_those_of_the_api(gallery: Gallery):
    page = gallery.open("#/?month=2025-05&sort=oldest")

    assert gallery.wait_for_keys(lambda keys: len(keys) >= 60)[:2] == ["many/0999.jpg", "many/0998.jpg"]
    page.locator("#sort").select_option("newest")
    assert gallery.wait_for_keys(lambda keys: keys[:1] == ["many/0001.jpg"])


def test_a_picture_that_failed_says_why_and_what_to_do(gallery: Gallery):
    page = gallery.open("#/?q=page/&view=problems")
    gallery.wait_for_keys(1)

    card = tile(page, "page/broken.jpg")
    expect(card).to_contain_text(re.compile("TRUNCATED_IMAGE|CORRUPT_FILE"))
    expect(card.locator(".advice")).to_be_visible()
    card.locator("a").click()
    expect(page.locator("#stage h2")).to_be_visible()
    expect(page.locator("#download")).to_be_hidden()


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


def test_images_appear_by_themselves_while_an_upload_runs(gallery: Gallery, shown: Shown):
    page = gallery.open()
    gallery.wait_for_keys(lambda keys: len(keys) >= 60)
    before = page.locator("#totals").inner_text()

    shown.deployment.upload("page/live.jpg", JPEG)

    gallery.wait_for_keys(lambda keys: keys[0] == "page/live.jpg")
    expect(page.locator("#totals")).not_to_have_text(before, use_inner_text=True, timeout=30_000)
    shown.deployment.cloud.client("s3").delete_object(
        Bucket=shown.deployment.resources["images-bucket"], Key="page/live.jpg"
    )
    gallery.wait_for_keys(lambda keys: "page/live.jpg" not in keys)


def test_whoever_reads_further_down_is_told_of_news_and_stays_where_they_are(gallery: Gallery, shown: Shown):
    page = gallery.open()
    gallery.wait_for_keys(lambda keys: len(keys) >= 60)
    page.mouse.wheel(0, 600)
    eventually(lambda: page.evaluate("scrollY > 300"))
    place = page.evaluate("scrollY")

    shown.deployment.upload("page/later.jpg", JPEG)
    expect(page.locator("#arrived")).to_contain_text("1 new", timeout=30_000)
    assert page.evaluate("scrollY") == place
    page.locator("#arrived").click()

    assert gallery.wait_for_keys(lambda keys: keys[0] == "page/later.jpg")
    assert page.evaluate("scrollY") == 0
    shown.deployment.cloud.client("s3").delete_object(
        Bucket=shown.deployment.resources["images-bucket"], Key="page/later.jpg"
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


def test_an_api_that_is_down_is_said_and_tried_again(gallery: Gallery):
    gallery.page.route("**/images?*", lambda route: route.abort())
    page = gallery.open()

    expect(page.locator("#notice h2")).to_have_text("The images cannot be reached")
    page.unroute("**/images?*")
    page.get_by_role("button", name="Try again").click()

    gallery.wait_for_keys(lambda keys: len(keys) >= 60)
    expect(page.locator("#notice")).to_be_hidden()
    assert page.evaluate("document.activeElement.closest('li') !== null")


def test_an_api_that_is_busy_or_broken_is_said_as_that(gallery: Gallery):
    status = [503]
    gallery.page.route("**/images?*", lambda route: route.fulfill(status=status[0], body="{}"))
    page = gallery.open()

    expect(page.locator("#notice h2")).to_have_text("Too many readers at this moment")
    status[0] = 500
    page.get_by_role("button", name="Try again").click()
    expect(page.locator("#notice h2")).to_have_text("The images cannot be listed")


def test_a_slow_api_shows_where_images_will_be(gallery: Gallery):
    waiting: list[Any] = []
    gallery.page.route("**/images?*", lambda route: route.continue_() if waiting else waiting.append(route))
    with gallery.page.expect_request("**/images?*"):
        page = gallery.open()

    expect(page.locator("#skeleton .tile").first).to_be_visible()
    expect(page.locator("#images")).to_have_attribute("aria-busy", "true")
    waiting[0].continue_()
    gallery.wait_for_keys(lambda keys: len(keys) >= 60)

    expect(page.locator("#skeleton .tile")).to_have_count(0)
    page.wait_for_load_state("networkidle")
    assert gallery.seen()["shift"] <= 0.02


def test_without_a_connection_the_page_waits_for_it(gallery: Gallery):
    page = gallery.open("#/?q=page/")
    gallery.wait_for_keys(4)

    page.context.set_offline(True)
    expect(page.locator("#notice h2")).to_have_text("No connection")
    page.context.set_offline(False)

    expect(page.locator("#notice")).to_be_hidden()


@pytest.mark.parametrize(
    ("locale", "title", "search", "problems"),
    [
        ("en-GB", "Gallery", "Name begins with…", "Problems"),
        ("es-MX", "Galería", "El nombre empieza por…", "Problemas"),
        ("pt-BR", "Galeria", "O nome começa com…", "Problemas"),
        ("ja-JP", "Gallery", "Name begins with…", "Problems"),
    ],
)
def test_the_page_speaks_the_language_of_its_reader(browser: Browser, shown: Shown, locale, title, search, problems):
    with gallery_of(browser, shown.deployment, locale=locale) as gallery:
        page = gallery.open("#/?q=page/&view=problems")
        gallery.wait_for_keys(1)

        assert page.title() == title
        expect(page.locator("#q")).to_have_attribute("placeholder", search)
        expect(page.locator(".views")).to_contain_text(problems)
        assert page.locator("html").get_attribute("lang") == (
            locale if title != "Gallery" or locale[:2] == "en" else "en"
        )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("route", ["#/?q=page/", "#/?view=problems", "#/image/page/one.jpg", "#/?q=nothing"])
def test_nothing_keeps_people_out(browser: Browser, shown: Shown, scheme, route):
    with gallery_of(browser, shown.deployment, color_scheme=scheme, reduced_motion="reduce") as gallery:
        page = gallery.open(route)
        page.locator("#images img.here, #images .problem, #facts dd, #notice h2").first.wait_for(state="attached")
        page.wait_for_load_state("networkidle")

        found = Axe().run(page).response["violations"]

        serious = [
            f"{one['id']}: {one['nodes'][0]['html'][:200]}" for one in found if one["impact"] in ("serious", "critical")
        ]
        assert serious == []


@pytest.mark.parametrize("width", [320, 1280, 3840])
def test_the_page_fits_windows_of_all_widths(browser: Browser, shown: Shown, width):
    with gallery_of(browser, shown.deployment, viewport={"width": width, "height": 900}) as gallery:
        page = gallery.open()
        gallery.wait_for_keys(lambda keys: len(keys) >= 60)

        assert page.evaluate("document.documentElement.scrollWidth") <= width
        page.locator("#images a").first.click()
        expect(page.locator("#close")).to_be_in_viewport()
        expect(page.locator("#facts dd").first).to_be_in_viewport()
