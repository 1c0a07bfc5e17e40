from hypothesis import given
from hypothesis import strategies as st

from pipeline.keys import MAX_KEY_BYTES, output_folder, output_key, url, version_of

KEYS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60),
    st.text("ab/.", min_size=1, max_size=12),
    st.text("aé/", min_size=300, max_size=500).filter(lambda key: len(key.encode()) <= MAX_KEY_BYTES),
    st.sampled_from([".sha256/a", "a" * 1024, "a" * 980, "a" * 990, "a//b", "a/", "/a", "../a", "a.jpg", "a.JPG"]),
)


@given(KEYS, KEYS)
def test_two_sources_never_share_an_output(one, other):
    same = output_key("thumbnails", one, "0" * 16, "webp") == output_key("thumbnails", other, "0" * 16, "webp")

    assert same == (one == other)


@given(KEYS, KEYS)
def test_the_outputs_of_one_source_never_lie_directly_in_the_folder_of_another(one, other):
    key = output_key("thumbnails", one, "0" * 16, "webp")
    rest = key.removeprefix(output_folder("thumbnails", other))

    assert one == other or rest == key or "/" in rest


@given(KEYS)
def test_nobody_can_upload_an_object_whose_outputs_lie_in_the_folder_of_a_hashed_one(key):
    folder = output_folder("thumbnails", key)
    named_like_it = folder.removeprefix("thumbnails/").removesuffix("/")

    assert named_like_it == key or output_folder("thumbnails", named_like_it) != folder


@given(KEYS)
def test_an_output_key_is_never_longer_than_s3_allows(key):
    assert len(output_key("thumbnails", key, "0" * 16, "jpeg").encode()) <= MAX_KEY_BYTES


def test_the_version_follows_the_version_id_and_only_without_one_the_etag():
    one = version_of(version_id="v1", etag="e", options_hash="o")

    assert one == version_of(version_id="v1", etag="another", options_hash="o")
    assert one != version_of(version_id="v2", etag="e", options_hash="o")
    assert one != version_of(version_id="v1", etag="e", options_hash="other")
    assert one != version_of(version_id=None, etag="v1", options_hash="o")
    assert len(one) == 16


def test_a_url_encodes_every_odd_byte_once():
    assert url("http://127.0.0.1/b", "été + 1%.jpg") == "http://127.0.0.1/b/%C3%A9t%C3%A9%20%2B%201%25.jpg"


def test_no_output_lies_where_a_browser_would_look_elsewhere():
    for key in (".", "..", "a/../b.jpg", "a/./b.jpg", "../a.jpg"):
        assert {".", ".."}.isdisjoint(output_folder("thumbnails", key).split("/"))
    assert output_folder("thumbnails", "a..b/.c") == "thumbnails/a..b/.c/"
