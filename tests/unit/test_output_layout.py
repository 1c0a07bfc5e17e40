import pytest
from hypothesis import given
from hypothesis import strategies as st

from bulk.output_layout import output_place
from pipeline.batch.settings import BatchSettings, Layout
from pipeline.job import S3Source

BUCKETS = st.sampled_from(["abc", "abc.d", "left"])
_ODD = st.text("a/.\ue000", min_size=1, max_size=6)
KEYS = st.one_of(_ODD, st.just(".sha256/x"), st.text("é", min_size=505, max_size=512))


def settings(**changes):
    return BatchSettings(
        **{"region": "r", "in_bucket": "i", "json_location": "l", "out_bucket": "o", "out_key": "out", **changes}
    )


def test_an_output_lies_under_bucket_and_whole_key():
    assert output_place(settings(), S3Source("photos", "2026/a.png")) == "out/photos/2026/a.png"
    assert output_place(settings(out_key=""), S3Source("photos", "a.png")) == "photos/a.png"


@pytest.mark.parametrize(
    ("key", "folder"),
    [
        ("x/a_left.jpg", "left"),
        ("x/a_RIGHT.JPG", "right"),
        ("a_front", "front"),
        ("a_front_1.jpg", "others"),
        ("left/a.jpg", "others"),
        ("left.jpg", "others"),
        ("a.left.jpg", "others"),
    ],
)
def test_cameras_have_directories_of_their_own_by_the_ending_of_the_name(key, folder):
    place = output_place(settings(divide_camera_wise=True), S3Source("photos", key))

    assert place == f"out/{folder}/photos/{key}"


def test_the_old_layout_keeps_nothing_but_the_name():
    source = S3Source("photos", "2026/may/a_left.jpg")

    assert output_place(settings(layout=Layout.BASENAME), source) == "out/a_left"
    assert output_place(settings(layout=Layout.BASENAME, divide_camera_wise=True), source) == "out/left/a_left"
    assert output_place(settings(layout=Layout.BASENAME), S3Source("photos", "x/.hidden")) == "out/.hidden"


@given(st.lists(st.tuples(BUCKETS, KEYS), min_size=2, max_size=2, unique=True), st.booleans())
def test_two_sources_never_share_a_place(sources, cameras):
    chosen = settings(divide_camera_wise=cameras)
    first, second = (output_place(chosen, S3Source(*source)) for source in sources)

    assert first != second
    assert max(len(place.encode()) for place in (first, second)) <= 1024 - 5
