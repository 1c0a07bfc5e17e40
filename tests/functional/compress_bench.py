"""A bucket in memory (moto), a list of keys, and the program's run over them in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from PIL import Image

from bulk.compress.backup import Backup
from bulk.compress.journal import Journal
from bulk.compress.log import Log
from bulk.compress.options import Options
from bulk.compress.outcome import Done
from bulk.compress.run import Run
from bulk.compress.work import Bench, Order, Place
from bulk.csv_rows import Omitted, Row, open_list, read_rows
from pipeline.watch import Watch
from tests.images import jpeg, noise, photo

BUCKET = "meu-bucket"
PLACE = Place(region="us-east-1", endpoint_url=None, profile=None, home="")

#: A picture with enough detail to be worth compressing, and two files of it.
DETAILED = Image.blend(photo((320, 240)), noise((320, 240)), 0.2)
JPEG = jpeg(DETAILED, quality=95)
ANOTHER = jpeg(DETAILED.rotate(90), quality=95)


class _FreeBudget:
    def take(self, pixels: int) -> Any:
        return nullcontext()


@dataclass
class CompressBench:
    """`s3`: a client of the emulator. What the program is told can be changed before `run`."""

    s3: Any
    folder: Path
    order: Order = field(init=False)
    watch: Watch | None = None
    sleeps: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        temp = self.folder / "temp"
        temp.mkdir(exist_ok=True)
        self.order = Order(place=PLACE, bucket=BUCKET, temp_dir=str(temp), options=Options())

    def set(self, *, backup: Backup | None = None, dry_run: bool = False, **options: Any) -> None:
        made = replace(self.order.options, **options)
        self.order = replace(self.order, options=made, backup=backup, dry_run=dry_run)

    def put(self, key: str, data: bytes, **headers: Any) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=data, **headers)

    def get(self, key: str) -> bytes:
        return bytes(self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())

    def head(self, key: str) -> dict[str, Any]:
        return dict(self.s3.head_object(Bucket=BUCKET, Key=key))

    def csv(self, *keys: str, text: str | None = None) -> Path:
        path = self.folder / "dataset.csv"
        path.write_text(text if text is not None else "path\n" + "".join(f"{key}\n" for key in keys), encoding="utf-8")
        return path

    def compress(self, rows: Iterable[Row]) -> Iterator[Done]:
        bench = Bench(self.order, self.s3, _FreeBudget(), self.watch)
        for row in rows:
            yield bench.work(row)

    def run(self, *keys: str, failed: bool = False, tell: Callable[[Done], None] = lambda done: None) -> list[Done]:
        """One run over the list of `keys`; what became of each image, as the journal has it."""
        with open_list(str(self.csv(*keys))) as file, closing(read_rows(file, BUCKET)) as rows:
            return self.run_rows(rows, failed=failed, tell=tell)

    def run_rows(
        self, rows: Iterator[Row | Omitted], *, failed: bool = False, tell: Callable[[Done], None] = lambda done: None
    ) -> list[Done]:
        log, journal = Log(self.folder), Journal(self.folder / "run.journal")
        try:
            run = Run(journal, log, self.compress, tell, self.sleeps.append)
            run.failed() if failed else run.all(rows)
            return list(journal.images())
        finally:
            journal.close()
            log.close()

    def only(self, *keys: str) -> Done:
        [done] = self.run(*keys)
        return done

    @property
    def log(self) -> str:
        return "".join(path.read_text(encoding="utf-8") for path in sorted(self.folder.glob("log_*.log")))
