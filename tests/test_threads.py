"""Work that the cores share."""

import os
import subprocess
import sys
from pathlib import Path
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


def test_work_that_is_shared_again_does_not_wait_for_itself() -> None:
    assert side_by_side(lambda n: side_by_side(str, range(n, n + 3)), range(40))[39] == ["39", "40", "41"]


AT_THE_END = """
import threading, time
from index.threads import side_by_side
print(side_by_side(str, range(3)))
def late():
    threading.main_thread().join()
    print(side_by_side(str, range(3)))
threading.Thread(target=late).start()
"""


def test_a_thread_that_outlives_the_main_one_gets_its_results(checkout: Path) -> None:
    done = subprocess.run([sys.executable, "-c", AT_THE_END], cwd=checkout, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["['0', '1', '2']"] * 2
    assert done.stderr == ""


AFTER_A_FORK = """
import os
from index.threads import side_by_side
side_by_side(str, range(9))
child = os.fork()
if not child:
    os._exit(side_by_side(str, range(9)) != [str(n) for n in range(9)])
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_process_that_was_forked_does_not_wait_for_threads_that_it_lacks(checkout: Path) -> None:
    command = [sys.executable, "-c", AFTER_A_FORK]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=True, timeout=20)
    assert done.stdout.strip() == "0"
