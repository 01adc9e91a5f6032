"""The halves of a public set: what is judged shares no evidence with what was fitted on."""

from hypothesis import given
from hypothesis import strategies as st

from eval.benchmarks.options import chosen_groups, linked_groups

evidence_of_questions = st.lists(st.lists(st.sampled_from("abcdefghijkl"), min_size=1, max_size=3), max_size=12)


@given(evidence_of_questions)
def test_no_evidence_of_the_fitting_half_is_in_the_test_half(evidence: list[list[str]]) -> None:
    groups = linked_groups(evidence)
    fitting = chosen_groups(groups, "fit")
    fit = {name for names, group in zip(evidence, groups, strict=True) if group in fitting for name in names}
    test = {name for names, group in zip(evidence, groups, strict=True) if group not in fitting for name in names}
    assert fit.isdisjoint(test)


def test_questions_are_linked_through_others_and_keep_their_order() -> None:
    assert linked_groups([["d"], ["b", "c"], ["e"], ["d", "c"]]) == ["b", "b", "e", "b"]
