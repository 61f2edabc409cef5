from __future__ import annotations

import os
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lims.db.ids import IdMint, milliseconds, uuid7

MILLISECONDS = st.integers(min_value=0, max_value=2**48 - 2)


@given(st.lists(MILLISECONDS, min_size=2))
def test_ids_grow_whatever_the_clock_does(clock: list[int]) -> None:
    mint = IdMint()
    minted = [mint.mint(now_ms) for now_ms in clock]
    assert minted == sorted(set(minted))


@given(MILLISECONDS)
def test_ids_of_one_millisecond_grow_and_keep_it(now_ms: int) -> None:
    minted = [uuid7(now_ms) for _ in range(20)]
    assert minted == sorted(set(minted))
    assert {milliseconds(id) for id in minted} == {now_ms}


@given(MILLISECONDS)
def test_an_id_is_laid_out_as_rfc_9562_says(now_ms: int) -> None:
    id = uuid7(now_ms)
    assert (id.version, id.variant) == (7, RFC_4122)
    assert id.bytes[:6] == now_ms.to_bytes(6, "big")


def test_a_told_time_that_goes_back_is_believed() -> None:
    assert uuid7(2_000) > uuid7(1_000)
    assert milliseconds(uuid7(1_000)) == 1_000


def test_running_out_of_one_millisecond_borrows_the_next() -> None:
    mint = IdMint()
    mint.mint(7)
    mint._random = 2**74 - 1
    assert milliseconds(mint.mint(7)) == 8


def test_a_time_outside_48_bits_is_refused() -> None:
    with pytest.raises(ValueError, match="48 bits"):
        uuid7(2**48)


def test_a_forked_worker_does_not_repeat_its_siblings_ids() -> None:
    read, write = os.pipe()
    children = []
    for _ in range(2):
        pid = os.fork()
        if pid == 0:
            os.write(write, b"".join(uuid7(5).bytes for _ in range(50)))
            os._exit(0)
        children.append(pid)
    os.close(write)
    for pid in children:
        os.waitpid(pid, 0)
    with os.fdopen(read, "rb") as pipe:
        minted = pipe.read()
    ids = {UUID(bytes=minted[at : at + 16]) for at in range(0, len(minted), 16)}
    assert len(ids) == 100
