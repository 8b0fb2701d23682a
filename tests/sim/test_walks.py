"""Seeded walks: safe always, right when quiet, gone at the end.

`make sim SEEDS=500` walks more of them, `make sim SEED=20` walks one again.
"""

import os

import pytest
from tests.sim.walk import Walk

SEEDS = 50
#: Of so many seeds one has its state in a file, with a connection for each process.
_IN_A_FILE = 5


def seeds():
    one, many = (os.environ.get(f"CLOUDSTEAD_TEST_{name}") for name in ("SEED", "SEEDS"))
    return [int(one)] if one else range(int(many or SEEDS))


@pytest.mark.parametrize("seed", seeds())
def test_the_world_is_safe_always_and_right_when_quiet(seed, tmp_path):
    Walk(seed, tmp_path if seed % _IN_A_FILE == 0 else None).run()


def test_a_seed_walks_the_same_way_again():
    first, second = Walk(1), Walk(1)
    first.run()
    second.run()
    assert first.story == second.story
    assert len(first.story) > 100
