"""Work that the cores share."""

from threading import Barrier

import pytest

from index.threads import cores, side_by_side


def test_results_come_in_the_order_of_the_items() -> None:
    assert side_by_side(lambda n: n * n, range(20)) == [n * n for n in range(20)]


def test_of_nothing_comes_nothing() -> None:
    assert side_by_side(str, []) == []


def test_two_items_are_worked_on_at_once() -> None:
    both = Barrier(2, timeout=10)  # breaks where one waits for the other to end
    assert sorted(side_by_side(lambda _: both.wait(), range(2))) == [0, 1]


@pytest.mark.parametrize("bad", [0, 1])
def test_what_the_work_raises_is_raised_on_whichever_thread_it_was(bad: int) -> None:
    def work(item: int) -> None:
        if item == bad:
            raise ValueError(item)

    with pytest.raises(ValueError, match=str(bad)):
        side_by_side(work, range(2))


@pytest.mark.parametrize(("had", "used"), [(1, 1), (2, 2), (64, 8)])
def test_as_many_cores_are_used_as_the_process_may_use_up_to_eight(
    had: int, used: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda process: range(had), raising=False)
    assert cores() == used
