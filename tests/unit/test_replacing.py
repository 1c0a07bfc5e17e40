"""What could not be said again with the new bytes keeps an original as it is. Recorded: no engine here answers so."""

from __future__ import annotations

from typing import Any, cast

import pytest

from pipeline.errors import SkipError
from pipeline.job import Output
from pipeline.objects import described
from pipeline.storage import Storage

OUTPUT = Output("compressed", b"pixels", "image/jpeg", "JPEG", (2, 1))


@pytest.mark.parametrize(
    "said",
    [
        # UTF-8 on the wire, which http.client reads as Latin-1.
        {"ContentDisposition": 'attachment; filename="é.jpg"'.encode().decode("latin-1")},
        # botocore gives an Expires that is no date as a text only.
        {"ExpiresString": "never"},
        {"MissingMeta": 1},
    ],
    ids=lambda said: next(iter(said)),
)
def test_what_could_not_be_said_again_as_it_is_keeps_an_original_as_it_is(said):
    answer: Any = {"ETag": '"e"', "ContentLength": 1, "Metadata": {}, **said}

    with pytest.raises(SkipError):
        Storage(cast(Any, None)).replace("b", "a.jpg", OUTPUT, described(answer), mark="m", keep_headers=True)
