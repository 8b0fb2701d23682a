"""The simulator's own test: every planted mistake is caught within few seeds."""

import pytest
from tests.sim.planted import PLANTED
from tests.sim.walk import Broken, Walk

SEEDS_MAX = 60


@pytest.mark.parametrize("mistake", PLANTED, ids=lambda mistake: mistake.__name__)
def test_a_planted_mistake_is_caught(mistake, monkeypatch):
    mistake(monkeypatch)
    for seed in range(SEEDS_MAX):
        try:
            Walk(seed).run()
        except Broken as e:
            print(f"seed {seed}: {e}".splitlines()[0])
            return
    pytest.fail(f"{SEEDS_MAX} seeds did not catch it")
