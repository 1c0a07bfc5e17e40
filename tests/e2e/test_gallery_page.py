"""The page in a real browser, on the real API of a local deployment."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import unquote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.e2e.gallery import MANY, Gallery, Shown, gallery_of, tile

pytestmark = [pytest.mark.local_cloud, pytest.mark.browser]


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


def test_the_skip_link_leads_to_the_images_and_leaves_search_and_filters_alone(gallery: Gallery):
    page = gallery.open("#/?q=many/&format=JPEG")
    gallery.wait_for_keys(lambda keys: len(keys) >= 60)
    asked = len(gallery.asked)

    page.locator("a.skip").focus()
    page.keyboard.press("Enter")

    assert page.evaluate("document.activeElement.closest('li')?.dataset.key") == "many/0000.jpg"
    assert page.url.endswith("#/?q=many/&format=JPEG")
    assert [url for url in gallery.asked[asked:] if "/images?" in url] == []


def test_filters_that_stay_the_same_are_not_made_anew_while_totals_change(gallery: Gallery):
    page = gallery.open("#/")
    expect(page.locator("#format option")).not_to_have_count(1)
    page.evaluate("document.querySelector('#format option').dataset.seen = 'yes'")
    totals: dict[str, Any] = {}

    def one_more(route: Any) -> None:
        body = route.fetch().json()
        totals["images"] = totals.get("images", body["images"]) + 1
        route.fulfill(json={**body, **totals})

    page.route("**/stats", one_more)
    with page.expect_response("**/stats"):
        pass
    page.wait_for_timeout(300)

    assert page.locator("#format option").first.get_attribute("data-seen") == "yes"


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


def test_the_search_box_says_what_is_searched_for_after_going_back(gallery: Gallery):
    page = gallery.open()
    gallery.wait_for_keys(lambda keys: len(keys) >= 60)
    page.locator("#q").fill("page/one")
    gallery.wait_for_keys(1)

    page.go_back()

    gallery.wait_for_keys(lambda keys: len(keys) >= 60)
    expect(page.locator("#q")).to_be_focused()
    expect(page.locator("#q")).to_have_value("")


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


@pytest.mark.parametrize("month", ["0000-05", "0001-01", "9999-12"])
def test_a_month_at_the_edge_of_the_calendar_is_no_error(gallery: Gallery, month):
    with gallery.page.expect_response("**/images?*", timeout=30_000) as answered:
        gallery.open(f"#/?month={month}")

    assert answered.value.status == 200


def test_a_cursor_that_is_refused_leads_back_to_the_beginning(gallery: Gallery):
    page = gallery.page
    page.route("**/images?*cursor=*", lambda route: route.fulfill(status=400, body="{}"))
    gallery.open("#/?q=many/")
    gallery.wait_for_keys(60)
    page.keyboard.press("End")
    again = page.locator("#notice").get_by_role("button", name="Try again")
    expect(again).to_be_visible()

    with page.expect_request("**/images?*") as asked:
        again.click()

    assert "cursor=" not in asked.value.url
    assert gallery.wait_for_keys(60)[0] == "many/0000.jpg"
