import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from bulk.memory_gate import BYTES_PER_PIXEL, MemoryGate, machine_cores, machine_memory, memory_gate


def test_what_is_decoded_at_one_time_never_exceeds_the_limit():
    gate, lock, sizes, seen = MemoryGate(100 * BYTES_PER_PIXEL), threading.Lock(), [], []

    def decode(pixels):
        with gate.take(pixels):
            with lock:
                sizes.append(pixels)
                seen.append(sum(sizes))
            with lock:
                sizes.remove(pixels)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(decode, [60, 30, 50, 70, 10, 100, 20] * 50))

    assert max(seen) <= 100


def test_a_giant_goes_alone_and_is_not_overtaken_for_ever():
    gate, order, small_is_in, go_on = MemoryGate(100), [], threading.Event(), threading.Event()

    def small():
        with gate.take(1):
            order.append("first small")
            small_is_in.set()
            go_on.wait(10)

    def giant():
        with gate.take(10**9):
            order.append("giant")

    def late():
        with gate.take(1):
            order.append("late small")

    threads = [threading.Thread(target=work) for work in (small, giant, late)]
    threads[0].start()
    small_is_in.wait(10)
    threads[1].start()
    while not gate._turn.locked():
        pass
    threads[2].start()
    go_on.set()
    for thread in threads:
        thread.join(10)

    assert order == ["first small", "giant", "late small"]


def test_the_gate_is_half_of_the_memory():
    assert memory_gate(1000)._limit == 500
    assert memory_gate()._limit == machine_memory() // 2


@pytest.mark.parametrize("name", ["memory.max", "memory/memory.limit_in_bytes"])
def test_the_limit_of_a_container_counts(tmp_path, name):
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("512000000\n")

    assert machine_memory(tmp_path) == 512_000_000


def test_without_a_limit_it_is_the_machines(tmp_path):
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "cpu.max").write_text("max 100000\n")

    assert machine_memory(tmp_path) > 512_000_000
    assert machine_cores(tmp_path) >= 1


def test_a_part_of_a_core_is_one(tmp_path):
    (tmp_path / "cpu.max").write_text("25000 100000\n")

    assert machine_cores(tmp_path) == 1
