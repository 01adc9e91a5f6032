"""What the benchmarks share measures what it says."""

from itertools import count

import pytest

from tests.bench.measuring import command, median_and_worst, now_mb, peak_mb, several, timed


@pytest.fixture
def _a_clock_that_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks = count(step=2.0)
    monkeypatch.setattr("tests.bench.measuring.time.perf_counter", lambda: next(ticks))


@pytest.mark.usefixtures("_a_clock_that_ticks")
def test_the_time_is_that_of_the_work_alone() -> None:
    assert timed(lambda: "done") == ("done", 2.0)
    assert several(lambda: None) == [2.0] * 5


def test_the_median_stands_beside_the_worst() -> None:
    assert median_and_worst([0.5, 9.0, 0.25]) == "0.50 s (worst 9.00)"


@pytest.mark.parametrize("code", ["raise SystemExit(1)", "raise SystemExit(2)", "1 / 0"])
def test_a_command_that_fails_is_no_measure(code: str) -> None:
    with pytest.raises(RuntimeError, match="left with"):
        command("-c", code)()


def test_a_command_that_fails_says_why() -> None:
    with pytest.raises(RuntimeError, match="No such command"):
        command("-m", "ui.cli", "embark")()


def test_a_command_runs_with_its_variables() -> None:
    command("-c", "import os; assert os.environ['GIVEN'] == 'here'", GIVEN="here")()


def test_a_process_knows_the_most_memory_that_it_held() -> None:
    before = now_mb()
    held = bytes(bytearray(b"x") * (150 << 20))
    size_mb = len(held) / 1e6
    del held
    assert peak_mb() >= before + size_mb / 2
    assert 0 < now_mb() < before + size_mb / 2
