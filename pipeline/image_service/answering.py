"""A URL message from its images to its reply: fetch → transform → put, for each of them, and then notify.

A worker may die after any step. What was made is made again then, byte for byte under the same keys while the same lies
at its URL; what was said is said again under the same id. Once something is said and something else is not, the next
delivery only says the rest.

A reply for two is kept before the first is told: both are told the same, whoever dies between. For one alone that call
is saved: where a worker dies right after telling it, the next delivery makes the reply anew, by what lies at the URLs
then. So does the one after a death between the last word to two and the end of the message.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import TYPE_CHECKING, Any

from pipeline.errors import MEANINGS, Code, RejectError, RetryError
from pipeline.image_service.deliveries import Delivery
from pipeline.image_service.job import Answered, UrlJob
from pipeline.images.transform import Transformed
from pipeline.job import Output, OutputWanted, PlacedOutput
from pipeline.keys import url
from pipeline.watch import Watch

if TYPE_CHECKING:
    from pipeline.image_service.services import UrlServices

SENT = "sent"
_ID_DIGITS = 32

Made = tuple[PlacedOutput, ...] | RejectError
#: How each place is told, by its name.
Ways = dict[str, Callable[[], str]]


def answer(job: UrlJob, services: UrlServices, watch: Watch) -> Answered:
    """Make all sizes of all images of the message and tell everybody whom it names.

    An image that is bad for ever is a result like any other; whoever wants no reply is not told. Raises RetryError
    where a later try may do better.
    """
    begun = services.deliveries.begun(job.reply.id) if job.deliveries > 1 else None
    making = _Making(job, services, watch)
    delivery = begun or Delivery(making.body(), {})
    ways = _ways(job, services, delivery.body)
    if not begun and len(ways) > 1:
        services.deliveries.keep(job.reply.id, delivery)
    told = _tell(job, services, delivery, ways)
    watch("notify", {"reply": job.reply.id, **told})
    if begun or len(ways) > 1:
        services.deliveries.forget(job.reply.id)
    return Answered(job, delivery.body, told, errors_in(delivery.body, job) if begun else making.errors)


def errors_in(body: Mapping[str, Any], job: UrlJob) -> dict[str, RejectError]:
    """Why there is no image, by field, as a reply says it that was begun before."""
    codes = {code.value: code for code in Code}
    fields = [source.field for source in job.sources if body.get(f"{source.field}_info") is None]
    said = {error["field"]: codes.get(error["code"]) for error in body.get("errors", ())} if fields else {}
    return {field: RejectError(code) for field in fields if (code := said.get(field))}


@dataclass(frozen=True)
class _Making:
    job: UrlJob
    services: UrlServices
    watch: Watch
    errors: dict[str, RejectError] = dataclass_field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """All that the message said, what was made of each image, and why nothing was made of one."""
        made = {address: self.make(address) for address in {source.url: None for source in self.job.sources}}
        results = [(source.field, made[source.url]) for source in self.job.sources]
        infos = {f"{field}_info": _info(result, self.job.outputs) for field, result in results}
        self.errors.update((field, result) for field, result in results if isinstance(result, RejectError))
        errors = [_error(field, error) for field, error in self.errors.items()]
        return {**self.job.reply.fields, **infos, **({"errors": errors} if errors else {})}

    def make(self, address: str) -> Made:
        try:
            fetched = self.services.fetch(address)
            self.watch("fetch", {"reply": self.job.reply.id, "bytes": len(fetched.data)})
            # Whoever sends messages chooses these bytes: they are decoded in a child, always.
            made = self.services.isolated(fetched.data, self.job.image_options, decoding=self.services.budget.take)
        except RejectError as error:
            self.watch("transform", {"reply": self.job.reply.id, "code": error.code, "reason": error.reason})
            return error
        self.watch("transform", {"reply": self.job.reply.id})
        return tuple(self.put(output, made) for output in made.outputs)

    def put(self, output: Output, made: Transformed) -> PlacedOutput:
        wanted = next(wanted for wanted in self.job.outputs if wanted.name == output.name)
        # Pillow's name of the format, in lower case: receivers know "jpeg" from the older service.
        name = f"{_image_id(self.job, made)}_{output.name}.{output.format.lower()}"
        key = f"{wanted.folder}/{name}"
        self.services.storage.put_output(wanted.bucket, key, output)
        self.watch("put", {"key": key, "bytes": len(output.data)})
        address = url(self.services.images_url, key)
        return PlacedOutput(output.name, key, address, output.content_type, len(output.data), output.size)


def _image_id(job: UrlJob, made: Transformed) -> str:
    """One for all sizes of an image; the same bytes made with the same options have the same one."""
    identity = f"{made.facts.sha256}\n{job.image_options.hash()}"
    return hashlib.sha256(identity.encode()).hexdigest()[:_ID_DIGITS]


def _info(made: Made, wanted: tuple[OutputWanted, ...]) -> dict[str, dict[str, str]] | None:
    if isinstance(made, RejectError):
        return None
    paths = {one.name: f"{one.folder}/" for one in wanted}
    return {placed.name: {"url": placed.url, "bucket_path": paths[placed.name]} for placed in made}


def _error(field: str, error: RejectError) -> dict[str, str]:
    # The particulars stay in our log: they may name what lies in our network.
    return {"field": field, "code": error.code.value, "reason": MEANINGS[error.code]}


def _tell(job: UrlJob, services: UrlServices, delivery: Delivery, ways: Ways) -> dict[str, str]:
    """Tell whom nobody has told yet, each whatever becomes of the other; how each was told, by its name.

    Raises RetryError, after it has kept what was reached, where one could not be told now.
    """
    result, retries = dict(delivery.told), []
    for name, tell in ways.items():
        if name in result:
            continue
        try:
            result[name] = tell()
        except RejectError as error:
            result[name] = error.code.value
        except RetryError as error:
            retries.append(error)
    if retries:
        services.deliveries.keep(job.reply.id, Delivery(delivery.body, result))
        raise RetryError(
            "; ".join(error.reason for error in retries),
            # The message comes back once: not before the one that asked for most time.
            after=max((error.after for error in retries if error.after is not None), default=None),
        )
    return result


def _ways(job: UrlJob, services: UrlServices, body: Mapping[str, Any]) -> Ways:
    reply, ways = job.reply, Ways()
    if (queue := reply.redirect_queue) is not None:
        ways["redirect"] = lambda: services.redirects.send(queue, body, reply.id).value
    if (address := reply.postback_url) is not None:
        ways["postback"] = lambda: _posted(services, address, body, reply.id)
    return ways


def _posted(services: UrlServices, address: str, body: Mapping[str, Any], reply_id: str) -> str:
    services.postback(address, body, reply_id)
    return SENT
