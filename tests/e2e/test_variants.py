"""Variants from setup to a real browser: made, listed, shown, counted, and gone with their image."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.deployed import Deployment
from tests.e2e.gallery import Gallery, gallery_of
from tests.images import jpeg, photo
from tests.local_cloud_fixture import running_local_cloud
from tests.waiting import eventually

pytestmark = [pytest.mark.local_cloud, pytest.mark.browser]

WIDTHS = (160, 320, 640)
KEY = "variants/été 1.jpg"
PICTURE = jpeg(photo((1200, 800)), quality=95)


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """One of its own, set up with variants."""
    with running_local_cloud(tmp_path_factory.mktemp("variants")) as cloud:
        deployment = Deployment(cloud)
        done = deployment.command(
            "setup.py", "--local", "--variant-formats", "webp,avif", "--variant-widths", "160,320,640"
        )
        assert done.returncode == 0, done.stderr
        deployment.upload(KEY, PICTURE)
        eventually(lambda: deployment.record(KEY))
        yield deployment


def objects(deployment: Deployment, key: str) -> dict[str, str]:
    """Key → content type of all that lies in the outputs bucket for one image."""
    s3, bucket = deployment.cloud.client("s3"), deployment.resources["thumbnails-bucket"]
    keys = [
        found["Key"]
        for folder in ("thumbnails", "compressed")
        for found in s3.list_objects_v2(Bucket=bucket, Prefix=f"{folder}/{key}/").get("Contents", [])
    ]
    return {key: s3.head_object(Bucket=bucket, Key=key)["ContentType"] for key in keys}


def from_api(deployment: Deployment, path: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{deployment.resources['gallery-api-url']}{path}", timeout=30) as answer:
        shown: dict[str, Any] = json.load(answer)
    return shown


def test_the_record_lists_what_lies_in_the_bucket(deployment: Deployment):
    record = deployment.record(KEY)
    assert record

    outputs = {output["OutputName"]: output for output in record["Outputs"]}

    assert set(outputs) == {"thumbnail", "compressed", *(f"{form}-{w}" for form in ("webp", "avif") for w in WIDTHS)}
    assert {output["OutputKey"]: output["OutputType"] for output in outputs.values()} == objects(deployment, KEY)
    assert [outputs[f"avif-{width}"]["OutputWidth"] for width in WIDTHS] == list(WIDTHS)


def test_totals_and_status_count_them(deployment: Deployment):
    record = deployment.record(KEY)
    assert record
    weight = sum(output["OutputBytes"] for output in record["Outputs"] if "-" in output["OutputName"])

    totals = eventually(lambda: (found := from_api(deployment, "stats"))["variants"] and found)
    (status,) = deployment.json_lines("status.py")

    assert (totals["variants"], totals["variant_bytes"]) == (6, weight)
    assert (status["variants"], status["variant_bytes"]) == (6, weight)


def test_they_go_with_their_image(deployment: Deployment):
    deployment.upload("variants/gone.jpg", PICTURE)
    eventually(lambda: deployment.record("variants/gone.jpg"))
    assert len(objects(deployment, "variants/gone.jpg")) == 8

    deployment.cloud.client("s3").delete_object(Bucket=deployment.resources["images-bucket"], Key="variants/gone.jpg")

    eventually(lambda: not deployment.record("variants/gone.jpg") and not objects(deployment, "variants/gone.jpg"))


def shown(gallery: Gallery, selector: str) -> Locator:
    """The image, once it has been loaded."""
    image = gallery.page.locator(selector)
    expect(image).to_have_js_property("complete", True, timeout=30_000)
    expect(image).not_to_have_js_property("currentSrc", "")
    return image


def output_of(deployment: Deployment, image: Locator) -> str:
    """Which output the browser chose."""
    record = deployment.record(KEY)
    assert record
    names = {output["OutputURL"]: output["OutputName"] for output in record["Outputs"]}
    return str(names[image.evaluate("image => image.currentSrc")])


TILE = f'#images > li[data-key="{KEY}"] img.here'


@pytest.mark.parametrize(("scale", "least"), [(1, 320), (2, 640)])
def test_the_grid_lets_the_browser_choose_what_its_screen_needs(browser: Browser, deployment: Deployment, scale, least):
    with gallery_of(browser, deployment, device_scale_factor=scale) as gallery:
        gallery.open("#/?q=variants/")

        image = shown(gallery, TILE)

        assert output_of(deployment, image) == f"avif-{least}"
        assert abs(image.evaluate("image => image.closest('.frame').clientHeight - image.clientHeight")) <= 1
        assert gallery.seen()["violations"] == gallery.said == []
        assert gallery.seen()["shift"] <= 0.02


def test_a_variant_that_cannot_be_had_leaves_the_thumbnail(browser: Browser, deployment: Deployment):
    with gallery_of(browser, deployment) as gallery:
        gallery.page.route("**/*.avif", lambda route: route.abort())
        gallery.open("#/?q=variants/")

        assert output_of(deployment, shown(gallery, TILE)) == "thumbnail"
        expect(gallery.page.locator(f'#images > li[data-key="{KEY}"] .none')).to_have_count(0)


def test_the_lightbox_takes_a_variant_where_that_is_as_sharp_and_the_whole_image_where_not(
    browser: Browser, deployment: Deployment
):
    with gallery_of(browser, deployment, viewport={"width": 620, "height": 800}) as gallery:
        gallery.open(f"#/image/{KEY}")
        assert output_of(deployment, shown(gallery, "#stage .picture.here .whole")) == "avif-640"
        expect(gallery.page.locator("#facts .factVariants")).to_have_text("AVIF 160, 320, 640 · WebP 160, 320, 640")

        gallery.page.set_viewport_size({"width": 1600, "height": 1000})

        eventually(lambda: output_of(deployment, shown(gallery, "#stage .picture.here .whole")) == "compressed")
        assert gallery.seen()["violations"] == gallery.said == []


def test_the_download_is_the_whole_image_and_the_header_counts_variants(browser: Browser, deployment: Deployment):
    with gallery_of(browser, deployment, viewport={"width": 620, "height": 800}) as gallery:
        page = gallery.open(f"#/image/{KEY}")

        expect(page.locator("#download")).to_have_attribute("download", "été 1.jpg")
        expect(page.locator("#totals span[title*=variants]")).to_have_count(1, timeout=30_000)
