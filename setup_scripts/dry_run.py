"""An `aws` that changes nothing: it reads what is there, tells what would be changed, and goes on as if it had been.

Requests are checked by botocore's rules as in a real run, and end right before they would be sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from cli.aws import Aws
from cli.targets import Target
from setup_scripts.pretended import Answer, Pretended

READING = ("Get", "List", "Head", "Describe", "BatchGet")
_REQUEST = "image-pipeline-request"
_REFUSED = 300


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call, in AWS's own words; `answer` is None where what was asked for is not there."""

    service: str
    operation: str
    request: Mapping[str, Any]
    answer: Mapping[str, Any] | None

    @property
    def changes(self) -> bool:
        return not self.operation.startswith(READING)

    def __str__(self) -> str:
        facts = ", ".join(f"{name}={_short(value)}" for name, value in self.request.items())
        return f"{self.service} {self.operation}({facts})"


class DryRun(Aws):
    """`tell` is given every call. `empty`: nothing is asked, since the local cloud that would answer never ran."""

    def __init__(self, target: Target, tell: Callable[[Call], None], *, empty: bool = False) -> None:
        super().__init__(target)
        self._tell = tell
        self._pretended = Pretended(target, empty=empty)

    def _make(self, service: Any) -> Any:
        client = super()._make(service)
        events = client.meta.events
        events.register("before-parameter-build", _keep_request)
        events.register_first("before-call", self._answer)
        events.register_last("after-call", self._told)
        return client

    def _answer(self, model: Any, context: dict[str, Any], **_: Any) -> Any:
        """What comes instead of AWS's answer; None lets a reading call go on its way."""
        if model.name.startswith(READING):
            found = self._pretended.read(model, context[_REQUEST])
        else:
            found = self._pretended.change(model, context[_REQUEST])
        return found and _as_sent(found)

    def _told(self, http_response: Any, parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        is_there = http_response.status_code < _REFUSED
        if is_there:
            self._pretended.amend(model.name, context[_REQUEST], parsed)
        self._tell(
            Call(
                service=model.service_model.service_name,
                operation=model.name,
                request=context[_REQUEST],
                answer=parsed if is_there else None,
            )
        )


def until(predicate: Callable[[], Any], **_: object) -> Any:
    """`retry.until` for a run that waits for nothing: what would be waited for is taken as it is."""
    return predicate()


def settled(call: Callable[[], Any], **_: object) -> Any:
    """`retry.settled` for a run in which nothing is refused for being too new."""
    return call()


def _keep_request(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    # Later on there are only the bytes that would be sent.
    context[_REQUEST] = dict(params)


def _as_sent(answer: Answer) -> tuple[Any, dict[str, Any]]:
    return SimpleNamespace(status_code=answer.status, headers={}), dict(answer.content)


def _short(value: Any) -> str:
    if isinstance(value, dict) and "Objects" in value:
        return f"{len(value['Objects'])} objects"
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    return repr(value)
