"""Pages of the gallery API: each image once, whatever their size and whatever happens between two of them."""

from __future__ import annotations

import json

import pytest

from tests.functional.gallery_on_moto import Api, at, done_image, fill, keys_of, walk


def test_a_new_gallery_is_an_empty_list_without_a_cursor(api):
    answer = api.call()

    assert json.loads(answer["body"]) == {"images": [], "cursor": None}
    assert answer["statusCode"] == 200
    assert answer["headers"]["Content-Type"] == "application/json"
    assert answer["headers"]["Cache-Control"] == "public, max-age=5"
    assert answer["headers"]["X-Content-Type-Options"] == "nosniff"


def test_fifty_images_come_first_and_the_cursor_leads_to_the_others(api, dynamodb):
    keys = fill(dynamodb, 60)

    first = api.get()
    second = api.get(cursor=first["cursor"])

    assert keys_of(first["images"]) == keys[:50]
    assert keys_of(second["images"]) == keys[50:]
    assert second["cursor"] is None


def test_with_many_variants_a_page_is_shorter_so_that_lambda_passes_it_on(dynamodb, monkeypatch):
    monkeypatch.setenv("VARIANT_FORMATS", "webp,avif")
    monkeypatch.setenv("VARIANT_WIDTHS", "100,200,300,400,500,600,700,800")
    keys, api = fill(dynamodb, 40), Api()

    assert keys_of(api.get(limit="200")["images"]) == keys[:26]
    assert keys_of(walk(api, 200)) == keys


@pytest.mark.parametrize("limit", [1, 3, 7, 24, 200])
def test_pages_of_any_size_together_show_every_image_once_newest_first(api, dynamodb, limit):
    keys = fill(dynamodb, 24)

    assert keys_of(walk(api, limit)) == keys


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_images_of_the_same_instant_are_neither_lost_nor_shown_twice(api, dynamodb, limit):
    keys = fill(dynamodb, 24, per_second=12)

    images = walk(api, limit)

    assert sorted(keys_of(images)) == sorted(keys)
    assert [image["ProcessedAt"] for image in images] == [at(1)] * 12 + [at(0)] * 12


@pytest.mark.parametrize(
    "key", ["é + 1.jpg", "a b%20c&d=e?#.png", "<script>.jpg", "x" * 1024, "界" * 341, "line\nend\x00", "\x01" * 1024]
)
def test_odd_and_long_keys_can_be_read_and_read_past(api, records, key):
    for number in range(3):
        # The same instant: the cursor has to carry the keys themselves.
        records.put(done_image(f"{number}{key}"[:1024], 5), replacing=None)

    keys = sorted(f"{number}{key}"[:1024] for number in range(3))
    assert sorted(keys_of(walk(api, 1))) == keys == keys_of(walk(api, 1, sort="name"))


def test_images_that_arrive_between_two_pages_wait_for_the_next_visit(api, records, dynamodb):
    keys = fill(dynamodb, 10)
    first = api.get(limit="4")

    records.put(done_image("late.jpg", 3600), replacing=None)
    second = api.get(limit="200", cursor=first["cursor"])

    assert keys_of(first["images"]) + keys_of(second["images"]) == keys
    assert keys_of(api.get()["images"])[0] == "late.jpg"


@pytest.mark.parametrize(
    "limit", ["0", "201", "-1", "", "ten", "1.5", " 1", "1e1", "1_0", "٣", "9" * 400, "1,2", "\u0000"]
)
def test_a_bad_limit_is_refused_with_the_reason(api, limit):
    answer = api.call(limit=limit)
    problem = json.loads(answer["body"])

    assert answer["statusCode"] == 400
    assert answer["headers"]["Content-Type"] == "application/problem+json"
    assert answer["headers"]["Cache-Control"] == "no-store"
    assert problem.keys() == {"type", "title", "status", "detail"}
    assert (problem["title"], problem["status"]) == ("Bad Request", 400)
    assert "limit=" in problem["detail"] and "1 to 200" in problem["detail"]
    assert len(problem["detail"]) < 500


@pytest.mark.parametrize("cursor", ["", "x", "null", "AAAA", "é", "../..", "'; DROP TABLE", "=" * 9000])
def test_a_bad_cursor_is_refused_with_the_reason(api, cursor):
    answer = api.call(cursor=cursor)

    assert answer["statusCode"] == 400
    assert json.loads(answer["body"])["detail"].startswith("cursor=")


def test_a_cursor_that_was_tampered_with_is_refused(api, dynamodb):
    fill(dynamodb, 3)
    cursor = api.get(limit="1")["cursor"]

    assert api.call(cursor=cursor.swapcase())["statusCode"] == 400
    assert api.call(cursor=cursor[:-1])["statusCode"] == 400


@pytest.mark.parametrize("limit", [1, 10, 200])
def test_no_page_evaluates_more_than_one_item_too_many_in_each_shard(api, dynamodb, limit):
    fill(dynamodb, 120, per_second=30)
    evaluated: list[int] = []
    api.after_query(lambda parsed, **_: evaluated.append(parsed["ScannedCount"]))

    body = api.get(limit=str(limit))
    first, evaluated[:] = sum(evaluated), []
    if body["cursor"]:
        api.get(limit=str(limit), cursor=body["cursor"])

    assert first <= 4 * (limit + 1)
    assert sum(evaluated) <= 4 * (limit + 1)
