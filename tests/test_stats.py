"""Intervals and comparisons: the same on every run, honest about too few cases."""

import doctest

import pytest

from eval import stats as module
from eval.stats import NOT_ENOUGH, Interval, bootstrap_interval, compare, paired_permutation


def test_every_worked_example_holds() -> None:
    assert doctest.testmod(module).failed == 0


def test_the_same_seed_gives_the_same_interval() -> None:
    values = [0.0, 1.0, 0.5, 1.0, 0.25, 0.0, 1.0]
    assert bootstrap_interval(values, seed=7) == bootstrap_interval(values, seed=7)


def test_more_cases_give_a_narrower_interval() -> None:
    few, many = (bootstrap_interval([0, 1] * n, seed=1) for n in (5, 500))
    assert many.high - many.low < few.high - few.low


def test_the_interval_of_a_fair_coin_is_the_textbook_one() -> None:
    interval = bootstrap_interval([0, 1] * 50, seed=1)
    assert (interval.low, interval.high) == pytest.approx((0.402, 0.598), abs=0.02)


def test_a_perfect_score_of_few_cases_is_not_certain() -> None:
    assert bootstrap_interval([0.0, 0.0, 0.0, 0.0], seed=1) == Interval(0.0, 0.4899)


def test_one_case_tells_next_to_nothing() -> None:
    assert bootstrap_interval([0.4], seed=1) == Interval(0.0, 1.0)


def test_no_values_have_no_interval() -> None:
    with pytest.raises(ValueError, match="needs values"):
        bootstrap_interval([], seed=1)


def test_five_cases_that_all_differ_are_not_enough() -> None:
    assert compare([0.0] * 5, [1.0] * 5, seed=1).verdict == NOT_ENOUGH


def test_six_cases_that_all_differ_are_enough() -> None:
    assert compare([0.0] * 6, [1.0] * 6, seed=1).verdict == "better"


def test_a_loss_is_called_worse() -> None:
    result = compare([1.0] * 20, [0.0] * 10 + [1.0] * 10, seed=1)
    assert (result.verdict, result.difference) == ("worse", -0.5)


def test_equal_runs_of_many_cases_show_no_difference() -> None:
    assert compare([0.0, 1.0] * 50, [0.0, 1.0] * 50, seed=1).verdict == "no difference"


def test_the_interval_of_no_change_reaches_both_ways() -> None:
    interval = compare([1.0] * 50, [1.0] * 50, seed=1).interval
    assert (interval.low, interval.high) == (-0.0714, 0.0714)


def test_equal_runs_of_a_few_cases_tell_nothing() -> None:
    assert compare([0.0, 1.0], [0.0, 1.0], seed=1).verdict == NOT_ENOUGH


def test_two_cases_that_hardly_differ_tell_nothing() -> None:
    assert compare([0.0, 0.0], [0.01, -0.01], seed=1).verdict == NOT_ENOUGH


def test_many_cases_that_hardly_differ_show_no_difference() -> None:
    assert compare([0.0] * 30, [0.01, -0.01] * 15, seed=1).verdict == "no difference"


def test_swapping_the_runs_swaps_the_sign_and_keeps_p() -> None:
    first, second = [0.0, 0.2, 0.1, 0.9] * 5, [0.3, 0.2, 0.5, 0.8] * 5
    there, back = compare(first, second, seed=1), compare(second, first, seed=1)
    assert [there.difference, there.p] == pytest.approx([-back.difference, back.p], abs=0.02)


def test_sampled_permutations_agree_with_the_sign_test() -> None:
    assert paired_permutation([0.0] * 20, [1.0] * 15 + [-1.0] * 5, seed=1) == pytest.approx(0.0414, abs=0.005)


def test_runs_of_different_cases_are_not_compared() -> None:
    with pytest.raises(ValueError, match=r"zip\(\) argument 2 is longer"):
        compare([0.0], [0.0, 1.0], seed=1)


def test_no_cases_are_not_compared() -> None:
    with pytest.raises(ValueError, match="needs cases"):
        compare([], [], seed=1)
