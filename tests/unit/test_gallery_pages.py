from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from hypothesis import given
from hypothesis import strategies as st

from pipeline.gallery.pages import Item, Page, Place, Slice, decode_cursor, encode_cursor, page_of

SHARDS = ("0", "1", "2", "3")

#: Few different times, so that most images share theirs with others.
times = st.integers(0, 6).map(lambda n: f"2026-03-01T00:00:0{n}.000000Z")
images = st.tuples(times, st.sampled_from(SHARDS))
galleries = st.lists(images, max_size=40)


class Gallery:
    """The index as DynamoDB keeps it: per shard by time, and among equal times in an order that nobody is told."""

    def __init__(self, images: Iterable[tuple[str, str]] = ()) -> None:
        self.items: list[Item] = []
        for at, shard in images:
            self.add(at, shard)

    def add(self, at: str, shard: str) -> None:
        self.items.append({"ImageID": f"{len(self.items)}.jpg", "ProcessedAt": at, "Feed": shard})

    def remove(self, image_id: str) -> None:
        self.items = [item for item in self.items if item["ImageID"] != image_id]

    def read(self, shard: str, start: Place | None, most: int) -> Slice:
        items = sorted((item for item in self.items if item["Feed"] == shard), key=_position, reverse=True)
        if start:
            items = [item for item in items if item["ProcessedAt"] <= start.at]
        if start and shard in start.last:
            after = _position({"ProcessedAt": start.at, "ImageID": start.last[shard]})
            items = [item for item in items if _position(item) < after]
        return Slice(items[:most], items[most - 1] if len(items) > most else None)

    def page(self, limit: int, start: Place | None = None, *, most: int | None = None) -> Page:
        slices = {shard: self.read(shard, start, most or limit + 1) for shard in SHARDS}
        return page_of(slices, limit, start=start)

    def pages(self, limit: int, *, most: int | None = None) -> Iterator[Page]:
        page = self.page(limit, most=most)
        yield page
        while page.end:
            page = self.page(limit, decode_cursor(encode_cursor(page.end), SHARDS), most=most)
            yield page


def _position(item: Item) -> tuple[str, str]:
    return item["ProcessedAt"], hashlib.sha256(item["ImageID"].encode()).hexdigest()


def _names(pages: list[Page]) -> list[str]:
    return [item["ImageID"] for page in pages for item in page.items]


def _times(pages: list[Page]) -> list[str]:
    return [item["ProcessedAt"] for page in pages for item in page.items]


@given(galleries, st.integers(1, 9))
def test_all_pages_together_are_all_images_newest_first(images, limit):
    gallery = Gallery(images)

    pages = list(gallery.pages(limit))

    assert _times(pages) == sorted((at for at, _ in images), reverse=True)
    assert sorted(_names(pages)) == sorted(item["ImageID"] for item in gallery.items)


@given(galleries, st.integers(1, 9))
def test_every_page_but_the_last_is_full(images, limit):
    *full, last = Gallery(images).pages(limit)

    assert all(len(page.items) == limit for page in full)
    assert len(last.items) <= limit
    assert last.items or not images


@given(galleries, st.integers(1, 9), st.integers(1, 4))
def test_shards_that_break_off_early_make_shorter_pages_but_no_gap(images, limit, most):
    pages = list(Gallery(images).pages(limit, most=most))

    assert _times(pages) == sorted((at for at, _ in images), reverse=True)
    assert len(set(_names(pages))) == len(images)
    assert all(page.items for page in pages if page.end)


@given(galleries.filter(bool), st.integers(1, 9), galleries)
def test_images_that_arrive_while_somebody_reads_on_change_no_later_page(images, limit, arriving):
    gallery = Gallery(images)
    before = _names(list(gallery.pages(limit)))

    first = gallery.page(limit)
    rest: list[Page] = []
    end = first.end
    for at, shard in arriving:
        gallery.add(at.replace("2026", "2027"), shard)
    while end:
        rest.append(gallery.page(limit, end))
        end = rest[-1].end

    assert _names([first, *rest]) == before


@given(galleries.filter(bool), st.integers(1, 9), st.data())
def test_images_that_are_removed_while_somebody_reads_on_take_no_other_with_them(images, limit, data):
    gallery = Gallery(images)
    shown = list(gallery.page(limit).items)
    end = gallery.page(limit).end
    gone = set(data.draw(st.lists(st.sampled_from([item["ImageID"] for item in gallery.items]))))
    kept = {item["ImageID"] for item in gallery.items} - gone

    for image_id in gone:
        gallery.remove(image_id)
    while end:
        page = gallery.page(limit, end)
        shown += page.items
        end = page.end

    names = [item["ImageID"] for item in shown]
    assert len(set(names)) == len(names)
    assert kept <= set(names)


def test_an_empty_gallery_is_one_empty_page():
    assert Gallery().page(50) == Page((), None)


def test_a_page_that_shows_the_last_image_says_so_even_when_it_is_full():
    gallery = Gallery([("2026-03-01T00:00:00.000000Z", shard) for shard in SHARDS])

    assert gallery.page(4).end is None
    assert gallery.page(3).end is not None
