import pytest

from pipeline.clients import config, is_loopback


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:4566", "http://localhost:4566/", "https://LOCALHOST", "http://[::1]:4566"]
)
def test_this_machine_itself_is_asked_past_a_proxy(url):
    assert is_loopback(url) and config(endpoint_url=url).proxies == {}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "url",
    [
        None,
        "https://s3.eu-west-1.amazonaws.com",
        "http://127.0.0.1.evil.example:4566",
        "http://localhost:1@evil.example",
    ],
)
def test_every_other_machine_is_asked_as_the_environment_says(url):
    assert not is_loopback(url) and config(endpoint_url=url).proxies is None  # type: ignore[attr-defined]
