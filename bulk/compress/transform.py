"""The transform of this program: what it makes may take the place of an original, so everything has to be in order.

The original stays, byte for byte, unless the new file decodes, shows the same picture in the same size and frames, and
saves enough; and unless the original itself is whole: a damaged one would become a clean picture of its damage.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from bulk.compress import jpeg, mpo, png, webp
from bulk.compress.options import Options
from bulk.strict import strict_problem
from pipeline.errors import Code, RejectError, SkipError
from pipeline.images.decode import Source, examine, load, rejecting
from pipeline.images.formats import sniff
from pipeline.images.options import ImageOptions, Limits
from pipeline.images.transform import Transformed
from pipeline.job import Facts, Output

#: How decoders say that a file is not all there.
_ENDS_EARLY = ("premature", "truncated", "end early", "ends ", "missing", "are there")


@dataclass(frozen=True)
class Compressor:
    """Makes of an original what may replace it; in the place of `pipeline.images.transform`."""

    options: Options

    def transform(
        self, data: bytes, wanted: ImageOptions, *, decoding: Callable[[int], AbstractContextManager[None]]
    ) -> Transformed:
        """The compressed file. SkipError where the original is best left alone, RejectError where it is none or bad."""
        with rejecting():
            name = self._allowed(data)
            source = examine(data, wanted.limits)
            with decoding(source.image.width * source.image.height):
                source = _loaded(source, name)
                file = self._compressed(source, name, wanted.limits)
        ((output_name, _),) = wanted.outputs
        output = Output(output_name, file, source.format.mime, source.format.name, source.size)
        return Transformed((output,), _facts(source))

    def _allowed(self, data: bytes) -> str:
        """The name of its format, in which MPO is one of its own; what has none is for `examine` to tell."""
        form = sniff(data)
        name = form.name if form else ""
        if name == "JPEG" and mpo.index_of(data):
            name = "MPO"
        if name and name not in self.options.formats:
            raise RejectError(Code.INVALID_EXTENSION, f"{name} is none of {', '.join(self.options.formats)}")
        return name

    def _compressed(self, source: Source, name: str, limits: Limits) -> bytes:
        file = self._encoded(source, name, limits)
        if not file:
            raise RejectError(Code.INVALID_CONTENT, "its compression came out empty")
        self._require_savings(len(source.data), len(file))
        with _thrown_away():
            self._check(source, name, file, limits)
        return file

    def _encoded(self, source: Source, name: str, limits: Limits) -> bytes:
        if name == "MPO":
            return self._several(source, limits)
        if name == "PNG":
            return png.compressed(source, self.options)
        return webp.compressed(source, self.options) if name == "WEBP" else jpeg.compressed(source, self.options)

    def _several(self, source: Source, limits: Limits) -> bytes:
        index = mpo.index_of(source.data)
        if index is None or self.options.strip_metadata:
            raise SkipError("its pictures are held together by metadata, which are to be stripped")

        def compressed(picture: bytes) -> bytes:
            one = examine(picture, limits)
            load(one)
            made = jpeg.picture(one, picture, self.options)
            with _thrown_away():
                jpeg.check(one, made)
            return made

        return mpo.rebuilt(source.data, index, compressed)

    def _require_savings(self, before: int, after: int) -> None:
        saved = 100 * (before - after) / before
        least = self.options.min_savings
        if after >= before or saved < least:
            raise SkipError(f"it would save {saved:.1f} %, less than {least:g} %")

    def _check(self, source: Source, name: str, file: bytes, limits: Limits) -> None:
        if name == "PNG":
            png.check(source, file, self.options, limits)
        elif name == "WEBP":
            webp.check(source, file)
        else:
            jpeg.check(source, file)
        if name == "MPO" and mpo.sizes(file) != mpo.sizes(source.data):
            raise ValueError("its pictures came out in other sizes")


@contextmanager
def _thrown_away() -> Iterator[None]:
    """Whatever is wrong with what we made is no fault of the original, which stays."""
    try:
        yield
    except Exception as error:
        raise SkipError(f"its compression was thrown away: {error}") from error


def _loaded(source: Source, name: str) -> Source:
    """`source` with its pixels; RejectError where it is not whole."""
    try:
        loaded = jpeg.strictly_loaded(source) if name == "JPEG" else None
        problem = None if loaded else strict_problem(source.data, name)
    except ValueError as error:
        loaded, problem = None, str(error)
    if problem:
        ends_early = any(words in problem.lower() for words in _ENDS_EARLY)
        raise RejectError(Code.TRUNCATED_IMAGE if ends_early else Code.CORRUPT_FILE, problem)
    if loaded:
        return loaded
    load(source)
    return source


def _facts(source: Source) -> Facts:
    return Facts(
        format=source.format.name,
        content_type=source.format.mime,
        mode=source.image.mode,
        size=source.size,
        frames=source.frames,
        bytes=len(source.data),
        sha256=hashlib.sha256(source.data).hexdigest(),
    )
