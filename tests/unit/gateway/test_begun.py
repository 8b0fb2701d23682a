"""Work that is begun at once goes on as if it had been awaited from the start."""

import asyncio

import pytest

from cloudstead.gateway.begun import Begun


def test_what_need_not_wait_is_done_at_once():
    async def work():
        return 7

    begun = Begun(work())
    assert (begun.done, begun.value) == (True, 7)


def test_a_failure_before_the_first_wait_is_raised_at_once():
    async def work():
        raise KeyError("x")

    with pytest.raises(KeyError):
        Begun(work())


def test_what_waits_goes_on_in_whichever_task_awaits_it():
    async def main():
        first, second = asyncio.get_running_loop().create_future(), asyncio.get_running_loop().create_future()

        async def work():
            found = [await first]
            await asyncio.sleep(0)
            try:
                await second
            except ValueError:
                found.append("caught")
            return found

        begun = Begun(work())
        assert not begun.done

        async def go_on():
            return await begun

        task = asyncio.create_task(go_on())
        await asyncio.sleep(0)
        first.set_result("a")
        await asyncio.sleep(0.01)
        second.set_exception(ValueError())
        assert await task == ["a", "caught"]

    asyncio.run(main())


def test_cancelling_who_awaits_cancels_the_work():
    async def main():
        ends = []

        async def work():
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                await asyncio.sleep(0)
                ends.append("cleaned up")

        begun = Begun(work())

        async def go_on():
            await begun

        task = asyncio.create_task(go_on())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ends == ["cleaned up"]

    asyncio.run(main())
