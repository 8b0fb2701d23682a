"""The board that checkers write and name servers read."""

import copy

import pytest

from cloudstead.dataplane.dns.health import Health, HealthFull


def forked(board):
    """As a process has it that was forked before anybody wrote: the same memory, and nothing read of it."""
    other = copy.copy(board)
    other._slots, other._generation = {}, 0
    return other


def test_what_nobody_told_of_is_healthy():
    assert Health().of("c")


def test_a_flip_is_seen_by_the_next_question_of_any_process():
    board = Health()
    reader = forked(board)
    board.tell("a", healthy=True)
    assert reader.of("a")
    board.tell("a", healthy=False)
    assert not reader.of("a")
    board.tell("a", healthy=True)
    assert reader.of("a")


def test_the_generation_moves_with_a_flip_alone():
    board = Health()
    board.tell("a", healthy=False)
    before = board.generation
    board.tell("a", healthy=False)
    assert board.generation == before
    board.tell("a", healthy=True)
    assert board.generation != before


def test_what_is_forgotten_is_healthy_and_its_place_is_used_again():
    board = Health(room=2)
    board.tell("a", healthy=False)
    board.tell("b", healthy=False)
    with pytest.raises(HealthFull):
        board.tell("c", healthy=False)
    board.forget("a")
    board.tell("c", healthy=False)
    reader = forked(board)
    assert [reader.of(check) for check in "abc"] == [True, False, False]


def test_who_writes_after_a_restart_finds_what_was_written_before():
    board = Health()
    first, second, reader = forked(board), forked(board), forked(board)
    for check in "abc":
        first.tell(check, healthy=check != "b")
    second.tell("c", healthy=True)
    second.tell("d", healthy=False)
    assert [reader.of(check) for check in "abcd"] == [True, False, True, False]
    second.tell("b", healthy=True)
    second.tell("a", healthy=False)
    assert [reader.of(check) for check in "abcd"] == [False, True, True, False]


def test_what_was_deleted_while_nobody_wrote_is_forgotten_after_a_restart():
    board = Health()
    first, second = forked(board), forked(board)
    first.tell("a", healthy=False)
    second.forget("a")
    assert forked(board).of("a")
