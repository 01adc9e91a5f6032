"""The encoder: a prepared network gives each text the same result in any company, from any number of threads."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from index.encoder import Encoder, _together
from index.prepare import Recipe
from tests.tiny_network import recipe


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Recipe, Path]:
    """Return the tiny network's recipe, and a cache that keeps both kinds of it."""
    folder = tmp_path_factory.mktemp("both")
    return recipe(folder / "network"), folder / "cache"


@pytest.fixture(params=[False, True], ids=["one by one", "together"])
def encoder(request: pytest.FixtureRequest, both: tuple[Recipe, Path]) -> Encoder:
    made, cache = both
    return Encoder.open(replace(made, together=request.param), cache, threads=2)


# What it computes


def test_outputs_by_token_are_padded_with_zeros_and_outputs_by_text_are_not(encoder: Encoder) -> None:
    by_token, by_text = encoder.run(encoder.tokenize(["ended", "it has ended"]))
    assert by_token.tolist() == [[1, 6, 2, 0, 0], [1, 4, 5, 6, 2]]
    assert by_text.tolist() == [[9], [18]]


def test_the_second_text_of_a_pair_is_told_from_the_first(encoder: Encoder) -> None:
    by_token, _ = encoder.run(encoder.tokenize([("it", "ended")]))
    assert by_token.tolist() == [[1, 4, 2, 16, 12]]


def test_offsets_point_into_each_text_of_a_pair(encoder: Encoder) -> None:
    [encoding] = encoder.tokenize([("it", "has ended")])
    assert encoding.offsets == [(0, 0), (0, 2), (0, 0), (0, 3), (4, 9), (0, 0)]
    assert encoding.sequence_ids == [None, 0, None, 1, 1, None]


def test_no_texts_have_no_outputs(encoder: Encoder) -> None:
    assert [output.shape for output in encoder.run(encoder.tokenize([]))] == [(0, 0), (0, 1)]


@pytest.mark.parametrize("together", [1, 32])
def test_the_order_of_the_texts_is_kept(encoder: Encoder, monkeypatch: pytest.MonkeyPatch, together: int) -> None:
    monkeypatch.setattr("index.encoder._TOKENS_TOGETHER", together)
    texts = ["it " * (n % 10) for n in range(40)]
    by_token, by_text = encoder.run(encoder.tokenize(texts))
    assert by_text.ravel().tolist() == [3 + 4 * (n % 10) for n in range(40)]
    assert by_token.tolist() == [[1, *[4] * (n % 10), 2, *[0] * (9 - n % 10)] for n in range(40)]


def test_what_is_too_long_is_cut_and_counted_whole(encoder: Encoder) -> None:
    assert [len(encoding.ids) for encoding in encoder.tokenize(["it " * 30])] == [12]
    assert encoder.count_tokens(["it " * 30, "it", ("it", "it")]) == [32, 3, 5]


@pytest.mark.parametrize(("ended", "it", "kept"), [(5, 30, (4, 5)), (2, 30, (2, 7)), (30, 30, (4, 5)), (30, 2, (7, 2))])
def test_of_a_pair_the_longer_half_is_cut(encoder: Encoder, ended: int, it: int, kept: tuple[int, int]) -> None:
    [encoding] = encoder.tokenize([("ended " * ended, "it " * it)])
    assert encoding.ids == [1, *[6] * kept[0], 2, *[4] * kept[1], 2]


# In any company


@pytest.mark.parametrize("together", [False, True])
def test_the_result_does_not_depend_on_company_or_threads(both: tuple[Recipe, Path], *, together: bool) -> None:
    made, cache = replace(both[0], together=together), both[1]
    texts = ["it " * (n % 7) for n in range(20)]
    several = (encoder := Encoder.open(made, cache, threads=3)).run(encoder.tokenize(texts))[1]
    alone = [(one := Encoder.open(made, cache, threads=1)).run(one.tokenize([text]))[1][0] for text in texts[:7]]
    assert np.array_equal(several[:7], np.stack(alone))


def test_texts_are_computed_together_in_groups_of_about_equally_many_tokens() -> None:
    groups = list(_together(range(40), lengths := [100] * 20 + [50] * 20, 2))
    assert [sum(lengths[place] for place in group) for group in groups] == [800, 800, 750, 650]
    assert [place for group in groups for place in group] == list(range(40))


def test_every_thread_has_texts_where_there_are_few() -> None:
    assert [len(group) for group in _together(range(5), [100] * 5, 2)] == [3, 2]
    assert [len(group) for group in _together(range(3), [100] * 3, 8)] == [1, 1, 1]


def test_texts_without_tokens_and_no_texts_are_no_trouble() -> None:
    assert list(_together([], [], 2)) == []
    assert [place for group in _together([0, 1], [0, 0], 2) for place in group] == [0, 1]


def test_texts_that_are_computed_one_by_one_are_so_the_longest_first(tiny: Recipe, tiny_cache: Path) -> None:
    assert list(Encoder.open(tiny, tiny_cache)._groups([3, 12, 7])) == [[1], [2], [0]]


def test_requests_are_kept_for_the_next_call_and_never_more_than_two_a_thread(tiny: Recipe, tiny_cache: Path) -> None:
    encoder = Encoder.open(tiny, tiny_cache, threads=2)
    for _ in range(3):
        encoder.run(encoder.tokenize(["it " * (n % 9) for n in range(40)]))
        assert len(encoder._idle) == 4


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 2), (64, 8)])
def test_a_network_runs_on_a_thread_for_each_core_that_the_process_may_use(
    cores: int, threads: int, tiny: Recipe, tiny_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda process: range(cores))
    opened = Encoder.open(tiny, tiny_cache), Encoder.open(tiny, tiny_cache, threads=3)
    assert tuple(encoder._threads for encoder in opened) == (threads, 3)


# Beside others


def test_encoders_can_be_let_go_one_after_the_other(tiny: Recipe, tiny_cache: Path) -> None:
    ran = [(encoder := Encoder.open(tiny, tiny_cache)).run(encoder.tokenize(["it"] * 9))[1].shape for _ in range(5)]
    assert ran == [(9, 1)] * 5  # with openvino's own queue, this hung


LET_GO = """
import gc, os, signal, sys
from pathlib import Path
from index.encoder import Encoder
from tests.tiny_network import recipe
first, second = (Encoder.open(recipe(Path(sys.argv[1])), Path(sys.argv[2])) for _ in range(2))
del first
gc.collect()
del second
gc.collect()
signal.signal(signal.SIGUSR1, lambda *_: print("handled"))
os.kill(os.getpid(), signal.SIGUSR1)
"""


@pytest.mark.parametrize("prepared", [True, False])
def test_signals_are_handled_when_two_encoders_were_let_go_one_after_the_other(
    tiny: Recipe, tiny_cache: Path, tmp_path: Path, checkout: Path, *, prepared: bool
) -> None:
    cache = tiny_cache if prepared else tmp_path / "empty"
    command = [sys.executable, "-c", LET_GO, str(tiny.tokenizer.parent), str(cache)]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (0, "handled\n"), done.stderr


RUN_AT_ONCE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from index.encoder import Encoder
from tests.tiny_network import recipe
sys.setswitchinterval(1e-6)
encoder = Encoder.open(recipe(Path(sys.argv[1])), Path(sys.argv[2]))
with ThreadPoolExecutor(8) as threads:
    print(len(list(threads.map(lambda n: encoder.run(encoder.tokenize(["it " * n])), range(32)))))
"""


def test_threads_may_run_an_encoder_at_once_from_the_first_text_on(
    tiny: Recipe, tiny_cache: Path, checkout: Path
) -> None:
    command = [sys.executable, "-c", RUN_AT_ONCE, str(tiny.tokenizer.parent), str(tiny_cache)]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "32"


def test_later_runs_load_neither_torch_nor_what_prepared_the_network(
    tiny: Recipe, tiny_cache: Path, checkout: Path
) -> None:
    code = (
        "import sys, pathlib; from tests.tiny_network import Encoder, recipe;"
        f"e = Encoder.open(recipe(pathlib.Path({str(tiny.tokenizer.parent)!r})), pathlib.Path({str(tiny_cache)!r}));"
        "e.run(e.tokenize(['it'])); print({'torch', 'transformers', 'nncf'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=checkout, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
