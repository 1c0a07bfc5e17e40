"""What the page promises without a browser: no host but its own, no way from text to code, colours that can be read."""

from __future__ import annotations

import gzip
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pipeline.errors import Code

SITE = Path(__file__).parent.parent.parent / "s3_static_website"
FILES = sorted(path for path in SITE.rglob("*") if path.is_file())
#: All that a browser loads before the first picture.
TEXTS = [path for path in FILES if path.suffix in (".html", ".css", ".js", ".svg")]
SCRIPTS = [path for path in FILES if path.suffix == ".js"]
#: What is gone, messages that name nothing of ours, and URLs leave no record that a page could list.
NEVER_RECORDED = {Code.FILE_DELETED, Code.INVALID_MESSAGE, Code.FOREIGN_BUCKET, Code.CONFLICT}
NEVER_RECORDED |= {Code.URL_REFUSED, Code.FETCH_FAILED, Code.POSTBACK_GONE}
STYLE = (SITE / "assets" / "style.css").read_text()
#: Every word with what it is in each language.
WORDS = {
    name: re.findall(r'"([^"]*)"', row)
    for name, row in re.findall(
        r"^  (\w+): \[(.*?)\],$", (SITE / "assets" / "words.js").read_text(), re.MULTILINE | re.DOTALL
    )
}


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed((SITE / "index.html").read_text())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def attributes(self, name: str) -> list[str]:
        return [attributes[name] for _, attributes in self.found if name in attributes]


@pytest.fixture(scope="module")
def tags() -> Tags:
    return Tags()


@pytest.fixture(scope="module")
def policy(tags: Tags) -> dict[str, list[str]]:
    (content,) = [
        " ".join(attributes["content"].split())
        for _, attributes in tags.found
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    directives = [directive.split() for directive in content.split(";") if directive.strip()]
    return {name: sources for name, *sources in directives}


def test_the_policy_allows_the_page_its_own_files_and_what_the_deployment_fills_in(policy):
    assert policy["default-src"] == ["'none'"]
    assert policy["script-src"] == ["'self'"]
    assert policy["style-src"] == ["'self'"]
    assert policy["img-src"] == ["'self'", "__IMG_SRC__"]
    assert policy["connect-src"] == ["'self'", "__CONNECT_SRC__"]
    assert policy["base-uri"] == policy["form-action"] == policy["trusted-types"] == ["'none'"]


def test_the_policy_comes_before_anything_that_it_governs(tags):
    kinds = ["policy" if "http-equiv" in attributes else tag for tag, attributes in tags.found]

    assert all(kinds.index("policy") < kinds.index(kind) for kind in ("link", "script", "img"))


def test_no_page_that_it_links_to_learns_where_the_visitor_came_from(tags):
    assert ("meta", {"name": "referrer", "content": "no-referrer"}) in tags.found


def test_nothing_is_inline(tags):
    assert not [tag for tag, _ in tags.found if tag == "style"]
    assert all("src" in attributes for tag, attributes in tags.found if tag == "script")
    assert not [name for _, attributes in tags.found for name in attributes if name == "style" or name.startswith("on")]


def test_every_path_is_relative_and_leads_to_a_file(tags):
    paths = [path for path in tags.attributes("src") + tags.attributes("href") if not path.startswith("#")]

    assert paths
    assert all((SITE / path).is_file() and not path.startswith("/") for path in paths)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_modules_import_files_that_exist_and_are_announced_to_the_browser(path, tags):
    imports = re.findall(r'^import .* from "\./([a-z_]+\.js)";$', path.read_text(), re.MULTILINE)

    assert len(imports) == path.read_text().count("import ")
    assert {f"assets/{name}" for name in imports} <= set(tags.attributes("href"))


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_no_other_host_is_named(path):
    hosts = re.findall(r"(?:https?:)?//[a-z0-9.-]+\.[a-z]{2,}[^\s\"']*", path.read_text())

    assert [host for host in hosts if host != "http://www.w3.org/2000/svg"] == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_no_script_has_a_way_from_text_to_code(path):
    ways = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|srcdoc|DOMParser|setHTML"

    assert re.findall(ways, path.read_text()) == []


def test_every_code_has_plain_words():
    recorded = [code for code in Code if code not in NEVER_RECORDED]

    assert [code for code in recorded if not {code, f"advice_{code}"} <= set(WORDS)] == []


def test_every_row_of_words_says_the_same_in_each_language_with_the_same_places_to_fill():
    assert len(WORDS) > 80
    for word, languages in WORDS.items():
        assert len(languages) == 3 and all(languages), word
        places = [sorted(re.findall(r"\{(\w+)\}", text)) for text in languages]
        assert places[0] == places[1] == places[2], word


def test_every_word_that_is_asked_for_exists(tags):
    words = set(WORDS)
    asked = {word for name in ("data-word", "data-label", "data-hint") for word in tags.attributes(name)}
    for path in SCRIPTS:
        asked |= set(re.findall(r'\bsay\("(\w+)"', path.read_text()))

    assert asked <= words


def _colours(css: str) -> dict[str, str]:
    return dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", css))


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "frame"])
@pytest.mark.parametrize("text", ["ink", "quiet", "saved", "problem"])
def test_text_stands_out_from_its_ground(scheme, ground, text):
    light, dark, *_ = STYLE.split("@media (prefers-color-scheme: dark)")
    colours = _colours(light if scheme == "light" else dark)

    assert _contrast(colours[text], colours[ground]) >= 4.5


def test_the_page_without_images_is_light():
    assert sum(len(gzip.compress(path.read_bytes())) for path in TEXTS) <= 60_000
