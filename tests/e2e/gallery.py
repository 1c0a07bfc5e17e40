"""The gallery in a browser, and what happened in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import boto3
from playwright.sync_api import Browser, Page, expect

from pipeline.job import Record
from pipeline.table.items import feed_of, to_item
from tests.deployed import Deployment

#: A key with what addresses must escape.
ODD = "page/été + 2 & 50%.jpg"

#: So many records of one picture does the gallery show.
MANY = 1_000

#: Counts layout shifts and the first paint from the very beginning, and scripts that the policy stopped.
WATCH = """
window.seen = {shift: 0, paint: 0, violations: []};
new PerformanceObserver(list => list.getEntries().forEach(e => e.hadRecentInput || (seen.shift += e.value)))
  .observe({type: 'layout-shift', buffered: true});
new PerformanceObserver(list => list.getEntries().forEach(
  e => e.name === 'first-contentful-paint' && (seen.paint = e.startTime))).observe({type: 'paint', buffered: true});
addEventListener('securitypolicyviolation', e => seen.violations.push(e.violatedDirective + ' ' + e.blockedURI));
"""


class Gallery:
    """An open page: `said` is what the browser complained about, `asked` all that it requested."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.said: list[str] = []
        self.asked: list[str] = []
        page.on("console", lambda message: self._hear(message.type, message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("dialog", self._refuse)
        page.on("request", lambda request: self.asked.append(request.url))
        page.add_init_script(WATCH)

    def _hear(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.said.append(text)

    def _refuse(self, dialog: Any) -> None:
        self.said.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def open(self, route: str = "") -> Page:
        self.page.goto(self.address + route)
        return self.page

    def keys(self) -> list[str]:
        keys: list[str] = self.page.evaluate("[...document.querySelectorAll('#images > li')].map(li => li.dataset.key)")
        return keys

    def wait_for_keys(self, wanted: Callable[[list[str]], bool] | int) -> list[str]:
        """The keys in the grid, once there are as many, or once they are as wanted."""
        if isinstance(wanted, int):
            # Playwright's wait_for_function evaluates text in the page again and again, which the page's CSP forbids.
            expect(self.page.locator("#images > li")).to_have_count(wanted, timeout=30_000)
            return self.keys()
        for _ in range(200):
            if wanted(keys := self.keys()):
                return keys
            self.page.wait_for_timeout(50)
        raise AssertionError(f"still {self.keys()}")

    def seen(self) -> dict[str, Any]:
        seen: dict[str, Any] = self.page.evaluate("seen")
        return seen


@contextmanager
def gallery_of(browser: Browser, deployment: Deployment, **options: Any) -> Iterator[Gallery]:
    """A gallery in a browser window of its own: `locale`, `viewport`, `has_touch` … as Playwright has them."""
    context = browser.new_context(**{"locale": "en-US", **options})
    context.set_default_timeout(15_000)
    yield Gallery(context.new_page(), deployment.resources["website-url"])
    context.close()


def write_records(deployment: Deployment, records: Iterable[Record | dict[str, Any]]) -> None:
    """Put records into the table directly, as quickly as it goes."""
    cloud = deployment.cloud
    resource = boto3.resource(
        "dynamodb",
        endpoint_url=cloud.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    with resource.Table(deployment.resources["dynamodb-table"]).batch_writer() as batch:
        for record in records:
            batch.put_item(Item=to_item(record) if isinstance(record, Record) else record)


@dataclass(frozen=True)
class Shown:
    """What the tests find in the gallery: a few real pictures, a real problem and a thousand records of one picture."""

    deployment: Deployment
    picture: dict[str, Any]


def copy_of(picture: dict[str, Any], number: int) -> dict[str, Any]:
    """A record that shows the same picture under another name, one minute older for each."""
    key = f"many/{number:04}.jpg"
    at = datetime(2025, 6, 1, tzinfo=UTC) - timedelta(minutes=number)
    plain = {name: Decimal(str(value)) if isinstance(value, (int, float)) else value for name, value in picture.items()}
    plain.pop("Outputs", None)
    return {
        **plain,
        "ImageID": key,
        "Feed": feed_of(key),
        "OriginalBytes": 1_000 * (number + 1),
        "ProcessedAt": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }


def tile(page: Page, key: str) -> Any:
    return page.locator(f'#images > li[data-key="{key}"]')
