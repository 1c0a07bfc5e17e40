"""What other threads and programs do between two looks at a folder: it is settled anew, and nobody hears of it."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable
from functools import partial
from itertools import cycle
from pathlib import Path

import pytest

from bulk.drain.download import Verified
from bulk.drain.names import Names, finder
from bulk.drain.outcomes import AgainError, KeepError, Outcome
from bulk.drain.own_folder import own_folder
from bulk.drain.paths import twin_name
from bulk.drain.processed import ProcessedFolder
from bulk.drain.results import Staged
from bulk.drain.tree import Spot, Tree
from tests.functional.drain_in_memory import EXACT, MeddledTree, MemoryBucket, drainer, no_sync


def once(act):
    """Called again and again, it acts the first time."""
    left = [act]

    def acting():
        if left:
            left.pop()()

    return acting


class Meddled(Names):
    """Another thread acts after a folder's name was found and before the folder is entered."""

    def __init__(self, act, find=lambda folder, name: None):
        super().__init__(find)
        self._act = act

    def of_folder(self, folder, part):
        name = super().of_folder(folder, part)
        self._act()
        return name


class TestGaps:
    def test_a_file_that_takes_a_folders_name_before_that_is_made(self, tmp_path):
        tree = Tree(tmp_path, no_sync, names=Meddled(once(lambda: (tmp_path / "a").write_bytes(b"file"))))

        spot = tree.settle(("a", "b"))

        assert spot == Spot(("a%folder",), "b")

    def test_one_at_each_depth_of_a_path(self, tmp_path):
        parts = tuple("abcdefgh")

        class Hasty(Names):
            """Each name is taken by a file as soon as it was found to be free."""

            def of_folder(self, folder, part):
                name = super().of_folder(folder, part)
                if name == part:
                    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, dir_fd=folder))
                return name

        tree = Tree(tmp_path, no_sync, names=Hasty(lambda folder, name: None))

        spot = tree.settle(parts)

        assert spot == Spot(tuple(f"{part}%folder" for part in parts[:-1]), "h")

    def test_a_folder_that_takes_a_files_name_before_it_is_looked_for(self, tmp_path):
        tree = MeddledTree(tmp_path, once((tmp_path / "a").mkdir))

        found = tree.look_up(("a",))

        assert found == (Spot((), "a%file"), None)

    def test_one_that_takes_the_name_of_a_file_that_was_there(self, tmp_path):
        (tmp_path / "a").write_bytes(b"somebody's")

        def replace():
            (tmp_path / "a").unlink()
            (tmp_path / "a").mkdir()

        found = MeddledTree(tmp_path, once(replace)).look_up(("a",))

        assert found == (Spot((), "a%file"), None)

    def test_a_link_that_takes_a_folders_name_is_told_and_not_waited_for(self, tmp_path):
        outside = tmp_path / "outside"
        outside.mkdir()
        tree = Tree(tmp_path, no_sync, names=Meddled(once(lambda: (tmp_path / "a").symlink_to(outside))))

        with pytest.raises(KeepError, match="a symbolic link is in the way"):
            tree.settle(("a", "b"))

        assert os.listdir(outside) == []

    def test_a_file_in_every_place_of_a_folder_is_named(self, tmp_path):
        for name in ("a", "a%folder"):
            (tmp_path / name).write_bytes(b"")

        with pytest.raises(KeepError, match="a%folder is where a folder belongs: move it away"):
            Tree(tmp_path, no_sync, names=EXACT).settle(("a", "b"))

    def test_what_never_comes_to_rest_is_left_for_later(self, tmp_path):
        answers = cycle([None, "A"])
        tree = Tree(tmp_path, no_sync, names=Names(lambda folder, name: next(answers) if name == "a" else None))

        with pytest.raises(AgainError, match="now one thing and now another"):
            tree.settle(("a", "b"))

    def test_a_file_in_the_place_of_a_settled_folder_is_no_link(self, tmp_path):
        tree = Tree(tmp_path, no_sync, names=EXACT)
        spot = tree.settle(("a", "b"))
        (tmp_path / "a").rmdir()
        (tmp_path / "a").write_bytes(b"")

        with pytest.raises(AgainError, match="a file in the place of a folder"):
            tree.open_part(spot.folder, "part")


class TestTwins:
    """No disk that takes `A` and `a` for one is at hand, so its way of finding names is played."""

    @staticmethod
    def appearing(name, after):
        """Nothing of that name for so many looks; then another thread has made its twin."""
        looks = iter(range(1000))
        return lambda folder, asked: name.upper() if asked == name and next(looks) >= after else None

    def test_a_twin_that_takes_a_folders_name_before_that_is_made(self, tmp_path):
        tree = Tree(tmp_path, no_sync, names=Names(self.appearing("a", after=1)))

        spot = tree.settle(("a", "b"))

        assert spot == Spot((twin_name("a"),), "b")

    def test_the_file_of_a_twin_is_not_taken_for_ones_own(self, tmp_path):
        (tmp_path / "a").write_bytes(b"the bytes of A, which this disk shows under a, too")
        tree = Tree(tmp_path, no_sync, names=Names(self.appearing("a", after=1)))

        found = tree.look_up(("a",))

        assert found == (Spot((), twin_name("a")), None)

    def test_older_versions_of_twins_lie_apart(self, tmp_path):
        there = {"A%version=0"}

        def find(folder, name):
            return next((other for other in there if other.casefold() == name.casefold()), None)

        spot = Tree(tmp_path, no_sync, names=Names(find)).settle(("a",), "%version=0")

        assert spot == Spot((), twin_name("a") + "%version=0")

    @pytest.mark.parametrize(
        ("fold", "there", "asked"),
        [
            (lambda name: name.encode().lower(), "a", "A"),
            (str.casefold, "é", "É"),
            (partial(unicodedata.normalize, "NFC"), "é", "e\u0301"),
        ],
        ids=["letters of ASCII only", "all letters", "accents"],
    )
    def test_a_disk_that_takes_two_names_for_one_is_known(self, tmp_path, fold, there, asked):
        def has(folder, name):
            return fold(name) in map(fold, os.listdir(folder))

        (tmp_path / ".drain").mkdir()
        (tmp_path / there).write_bytes(b"")
        folder = os.open(tmp_path, os.O_RDONLY)

        spot = Tree(tmp_path, no_sync, names=Names(finder(folder, has))).settle((asked,))

        os.close(folder)
        assert spot == Spot((), twin_name(asked))


class TestNaming:
    """The gaps when a `.part` is in the folder already."""

    def staged(self, places, candidate):
        spot = places.look(candidate)
        part = places.tree.open_part(spot.folder, "part")
        os.write(part, places.bucket.objects[candidate.key])
        os.close(part)
        facts = places.bucket.require(candidate)
        return Staged(candidate, Outcome.DRAINED, Verified(facts, "", ""), spot, "part")

    @pytest.fixture
    def play(self, tmp_path):
        def play(key, act=lambda: None):
            root = tmp_path / "root"
            root.mkdir()
            tree = MeddledTree(root, act)
            bucket = MemoryBucket({key: b"data"})
            return root, drainer(bucket, tree, tmp_path).places, bucket.candidates()[0]

        return play

    def test_its_name_goes_to_a_file_and_then_to_a_folder(self, play):
        acts: list[Callable[[], None]] = []
        root, places, candidate = play("a", lambda: [act() for act in acts])
        staged = self.staged(places, candidate)
        (root / "a").write_bytes(b"mine")
        acts.append(once(lambda: ((root / "a").unlink(), (root / "a").mkdir())))

        named = places.name(staged)

        assert named.path == "a%file"
        assert (root / "a%file").read_bytes() == b"data"

    def test_its_folder_has_another_name_by_then_and_nothing_is_left_in_the_old_one(self, play):
        root, places, candidate = play("a/b")
        (root / "a").write_bytes(b"file")
        staged = self.staged(places, candidate)
        (root / "a").unlink()
        (root / "a%folder" / "b").write_bytes(b"mine")

        with pytest.raises(AgainError, match="its folder has another name"):
            places.name(staged)

        assert os.listdir(root / "a%folder") == ["b"]

    def test_its_folder_becomes_a_file(self, play):
        root, places, candidate = play("a/b")
        staged = self.staged(places, candidate)
        (root / "a" / "part").unlink()
        (root / "a").rmdir()
        (root / "a").write_bytes(b"file")

        with pytest.raises(AgainError, match="a file in the place of a folder"):
            places.name(staged)


def test_a_folder_that_is_made_anew_is_made_durable_anew(tmp_path):
    synced = []
    tree = Tree(tmp_path, lambda descriptor: synced.append(os.readlink(f"/proc/self/fd/{descriptor}")), names=EXACT)
    tree.make_durable(tree.settle(("a", "b", "c")).folder)
    (tmp_path / "a" / "b").rmdir()
    synced.clear()

    tree.make_durable(tree.settle(("a", "b", "c")).folder)
    again = list(synced)
    tree.make_durable(("a", "b"))

    assert again == [str(tmp_path / "a" / "b"), str(tmp_path / "a")]
    assert synced[len(again) :] == [str(tmp_path / "a" / "b")]


def test_a_folder_that_is_made_anew_while_the_old_one_is_made_durable_is_not_taken_for_that(tmp_path):
    synced = []

    def sync(descriptor):
        synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        if len(synced) == 2:
            (tmp_path / "a").rmdir()
            tree.settle(("a", "b"))

    tree = Tree(tmp_path, sync, names=EXACT)
    tree.make_durable(tree.settle(("a", "b")).folder)
    tree.make_durable(("a",))

    assert synced == [str(tmp_path / "a"), str(tmp_path)] * 2


def test_the_folder_that_is_drained_into_keeps_its_own_name_also_where_it_was_there(tmp_path):
    root = tmp_path / "root"
    synced: list[str] = []
    root.mkdir()

    with own_folder(root, lambda descriptor: synced.append(os.readlink(f"/proc/self/fd/{descriptor}"))):
        assert synced[:2] == [str(root), str(tmp_path)]


def test_the_folders_that_lead_to_a_processed_file_are_made_durable_once_and_its_own_each_time(tmp_path):
    folder = ProcessedFolder(tmp_path)
    synced: list[Path] = []
    (tmp_path / "a" / "b").mkdir(parents=True)

    for _ in range(2):
        folder.make_durable(tmp_path / "a" / "b" / "file", synced.append)

    assert synced == [tmp_path, tmp_path / "a", *[tmp_path / "a" / "b"] * 2]


def test_a_processed_file_behind_a_link_is_made_durable_where_it_is(tmp_path):
    processed, elsewhere = tmp_path / "processed", tmp_path / "elsewhere"
    synced: list[Path] = []
    for made in (processed, elsewhere):
        made.mkdir()
    (processed / "link").symlink_to(elsewhere)

    ProcessedFolder(processed).make_durable(processed / "link" / "file", synced.append)

    assert synced == [elsewhere]
