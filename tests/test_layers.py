"""The shape of the source: imports point down, heavy and dangerous things stay in their place, functions stay small.

`complaints` judges one file by its path and text alone. One test holds every file of ours to it; the others plant each
violation, so that a rule that stopped firing is noticed.
"""

import ast
import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pytest

MAY_IMPORT = {
    "index": {"index"},
    "rag": {"rag", "index"},
    "eval": {"eval", "rag", "index"},
    "ui": {"ui", "eval", "rag", "index"},
}
NOT_FOR_IMPORT = {"index", "rag", "eval", "ui", "seeds", "tests"}
ONLY_HOME = {"faiss": "index/vectors.py", "tantivy": "index/lexical.py"}
PICKLES = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "jsonpickle", "joblib", "marshal", "shelve"}
PICKLE_CALLS = {"torch.load", "torch.save", "pandas.read_pickle"}
ENVIRONMENT = {"os.environ", "os.environb", "os.getenv", "os.getenvb", "os.putenv", "os.unsetenv"}
ENVIRONMENT_HOME = "ui/cli.py"
MAY_PRINT = re.compile(r"ui/cli\.py|(.*/)?__main__\.py|tests/bench/.*|eval/fit/.*")
SAYS_NOTHING = {"util", "utils", "helper", "helpers", "common", "base"}
MOST_LINES = 40
MOST_PARAMETERS = 5

Function = ast.FunctionDef | ast.AsyncFunctionDef


class Complaint(NamedTuple):
    """What is wrong with a file, and in which line."""

    line: int
    rule: str
    detail: str


class File(NamedTuple):
    """A source file, parsed, with what its local names stand for (`{"np": "numpy"}`)."""

    path: PurePosixPath
    tree: ast.Module
    names: dict[str, str]


class Import(NamedTuple):
    """One imported thing by its full dotted name."""

    line: int
    target: str


def complaints(path: str, source: str) -> list[Complaint]:
    """Return everything in one file that breaks a rule, by line; `path` is relative to the checkout."""
    tree = ast.parse(source, path)
    file = File(PurePosixPath(path), tree, local_names(tree))
    return sorted(complaint for rule in RULES for complaint in rule(file))


def local_names(tree: ast.Module) -> dict[str, str]:
    """Return what each name that an import binds stands for."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def full_name(node: ast.AST, names: dict[str, str]) -> str:
    """Return the dotted name that an expression spells ("numpy.load" for `np.load`), or "" when it spells none."""
    if isinstance(node, ast.Name):
        return names.get(node.id, node.id)
    if isinstance(node, ast.Attribute) and (owner := full_name(node.value, names)):
        return f"{owner}.{node.attr}"
    return ""


def imports(file: File) -> Iterator[Import]:
    """Yield every import, those inside functions, relative ones and `importlib.import_module("...")` included."""
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Import):
            yield from (Import(node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            folder = file.path.parts[: max(0, len(file.path.parts) - node.level)] if node.level else ()
            module = ".".join((*folder, *filter(None, [node.module])))
            yield from (Import(node.lineno, f"{module}.{alias.name}".lstrip(".")) for alias in node.names)
        elif (
            isinstance(node, ast.Call)
            and full_name(node.func, file.names) in {"importlib.import_module", "__import__"}
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            yield Import(node.lineno, str(node.args[0].value))


def imports_point_down(file: File) -> Iterator[Complaint]:
    """Hold `ui -> eval -> rag -> index`; nothing imports ui, and only ui imports eval."""
    package = file.path.parts[0]
    forbidden = NOT_FOR_IMPORT - MAY_IMPORT.get(package, NOT_FOR_IMPORT)
    for line, target in imports(file):
        if target.partition(".")[0] in forbidden:
            yield Complaint(line, "layers", f"{package} may not import {target}")


def engines_stay_home(file: File) -> Iterator[Complaint]:
    """Let one file alone know each search engine, so that another can take its place."""
    for line, target in imports(file):
        home = ONLY_HOME.get(target.partition(".")[0], str(file.path))
        if str(file.path) != home:
            yield Complaint(line, "engine", f"{target} is for {home} alone")


def nothing_is_pickled(file: File) -> Iterator[Complaint]:
    """Refuse every way to load data that can run code (law 9)."""
    for line, target in imports(file):
        if target.partition(".")[0] in PICKLES:
            yield Complaint(line, "pickle", target)
    for node in ast.walk(file.tree):
        if not isinstance(node, ast.Call):
            continue
        name = full_name(node.func, file.names)
        third_of_load = name == "numpy.load" and len(node.args) > 2
        if name in PICKLE_CALLS or third_of_load or any(map(allows_pickle, node.keywords)):
            yield Complaint(node.lineno, "pickle", ast.unparse(node))


def allows_pickle(keyword: ast.keyword) -> bool:
    """Tell whether a call's argument is `allow_pickle`, other than plainly False."""
    off = isinstance(keyword.value, ast.Constant) and keyword.value.value is False
    return keyword.arg == "allow_pickle" and not off


def print_stays_home(file: File) -> Iterator[Complaint]:
    """Keep stdout for results: only the command, `__main__`, benches and fits print."""
    if MAY_PRINT.fullmatch(str(file.path)):
        return
    for node in ast.walk(file.tree):
        if full_name(node, file.names) in {"print", "builtins.print"}:
            yield Complaint(getattr(node, "lineno", 0), "print", "print is for the command alone")


def environment_stays_home(file: File) -> Iterator[Complaint]:
    """Let the command alone read (or set) environment variables; below, settings are arguments."""
    if str(file.path) == ENVIRONMENT_HOME:
        return
    for node in ast.walk(file.tree):
        if (name := full_name(node, file.names)) in ENVIRONMENT:
            yield Complaint(getattr(node, "lineno", 0), "environment", f"{name} is for {ENVIRONMENT_HOME} alone")


def file_names_say_something(file: File) -> Iterator[Complaint]:
    """Refuse names under which anything could stand."""
    for part in file.path.with_suffix("").parts:
        if part.strip("_").lower() in SAYS_NOTHING:
            yield Complaint(0, "file name", f"{part!r} says nothing: name the noun that the file holds")


def functions_fit_on_a_screen(file: File) -> Iterator[Complaint]:
    """Hold every function to 40 lines without its docstring, and to 5 positional parameters without self."""
    for node in ast.walk(file.tree):
        if isinstance(node, Function):
            if (lines := length(node)) > MOST_LINES:
                yield Complaint(node.lineno, "long function", f"{node.name} has {lines} lines, over {MOST_LINES}")
            if (count := len(positional_parameters(node))) > MOST_PARAMETERS:
                detail = f"{node.name} takes {count} by position, over {MOST_PARAMETERS}: make the rest keyword-only"
                yield Complaint(node.lineno, "many parameters", detail)


def length(node: Function) -> int:
    """Return the number of lines from `def` to the end of the body, the docstring left out."""
    lines = (node.body[-1].end_lineno or 0) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node, clean=False) is not None:
        lines -= (first.end_lineno or 0) - first.lineno + 1
    return lines


def positional_parameters(node: Function) -> list[str]:
    """Return the names of the parameters that can be given by position, without self or cls."""
    names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


RULES: tuple[Callable[[File], Iterator[Complaint]], ...] = (
    imports_point_down,
    engines_stay_home,
    nothing_is_pickled,
    print_stays_home,
    environment_stays_home,
    file_names_say_something,
    functions_fit_on_a_screen,
)

CHECKOUT = Path(__file__).resolve().parent.parent
SOURCES = sorted(
    path.relative_to(CHECKOUT).as_posix() for package in MAY_IMPORT for path in (CHECKOUT / package).rglob("*.py")
)


@pytest.mark.parametrize("path", SOURCES)
def test_the_file_keeps_the_rules(path: str) -> None:
    assert complaints(path, (CHECKOUT / path).read_text(encoding="utf-8")) == []


LONGEST = "def f():\n" + "    x = 1\n" * 39
LONG = LONGEST + "    x = 1\n"
LONG_METHOD = "class A:\n    async def f(self):\n" + "        x = 1\n" * 40
LONGEST_WITH_DOCSTRING = LONGEST.replace("    x", '    """First.\n\n    More.\n    """\n    x', 1)

VIOLATIONS = [
    ("index/a.py", "import rag", "layers"),
    ("index/a.py", "from rag.bot import NewsBot", "layers"),
    ("index/a.py", "import os, ui.cli", "layers"),
    ("index/a.py", "def f():\n    from eval import metrics", "layers"),
    ("index/readers/a.py", "from ui import cli", "layers"),
    ("index/a.py", "from .. import rag", "layers"),
    ("index/readers/a.py", "from ...rag import bot", "layers"),
    ("index/a.py", "if TYPE_CHECKING:\n    from rag.answer import Answer", "layers"),
    ("index/a.py", "import importlib\nimportlib.import_module('rag.bot')", "layers"),
    ("index/a.py", "from importlib import import_module\nimport_module('rag')", "layers"),
    ("index/a.py", "__import__('ui')", "layers"),
    ("rag/a.py", "import ui", "layers"),
    ("rag/a.py", "from eval.metrics import recall", "layers"),
    ("rag/a.py", "from tests.conftest import checkout", "layers"),
    ("eval/a.py", "from ui.cli import main", "layers"),
    ("eval/fit/a.py", "import ui.views", "layers"),
    ("ui/a.py", "import seeds", "layers"),
    ("index/store.py", "import faiss", "engine"),
    ("rag/vectors.py", "import faiss", "engine"),
    ("index/news_index.py", "def f():\n    import faiss.contrib", "engine"),
    ("index/vectors.py", "from tantivy import Index", "engine"),
    ("eval/a.py", "import importlib\nimportlib.import_module('tantivy')", "engine"),
    ("index/a.py", "import pickle", "pickle"),
    ("index/a.py", "from pickle import loads", "pickle"),
    ("eval/fit/a.py", "def f():\n    import joblib", "pickle"),
    ("rag/a.py", "import torch\ntorch.load('x')", "pickle"),
    ("rag/a.py", "import torch as t\nt.load('x', weights_only=True)", "pickle"),
    ("rag/a.py", "from torch import load as get\nget('x')", "pickle"),
    ("index/a.py", "import numpy as np\nnp.load('x', allow_pickle=True)", "pickle"),
    ("index/a.py", "import numpy as np\nnp.load('x', allow_pickle=trusted)", "pickle"),
    ("index/a.py", "import numpy as np\nnp.load('x', None, True)", "pickle"),
    ("index/a.py", "from numpy import load\nload('x', allow_pickle=1)", "pickle"),
    ("index/a.py", "print('x')", "print"),
    ("index/a.py", "say = print", "print"),
    ("ui/page.py", "def f():\n    print('x')", "print"),
    ("eval/run.py", "import builtins\nbuiltins.print('x')", "print"),
    ("index/a.py", "import os\nos.environ['X']", "environment"),
    ("rag/a.py", "import os as system\nsystem.getenv('X')", "environment"),
    ("ui/service.py", "from os import environ\nx = environ.get('X')", "environment"),
    ("eval/fit/a.py", "import os\nos.environ['X'] = '1'", "environment"),
    ("index/utils.py", "", "file name"),
    ("rag/_helpers.py", "", "file name"),
    ("index/common/text.py", "", "file name"),
    ("ui/base.py", "", "file name"),
    ("index/a.py", LONG, "long function"),
    ("ui/cli.py", LONG_METHOD, "long function"),
    ("index/a.py", "def f(a, b, c, d, e, g): ...", "many parameters"),
    ("index/a.py", "async def f(a, b, /, c, d, e, g): ...", "many parameters"),
    ("index/a.py", "class A:\n    def f(self, a, b, c, d, e, g): ...", "many parameters"),
]


@pytest.mark.parametrize(("path", "source", "rule"), VIOLATIONS)
def test_a_planted_violation_is_found(path: str, source: str, rule: str) -> None:
    assert {complaint.rule for complaint in complaints(path, source)} == {rule}


INNOCENT = [
    ("ui/a.py", "from eval.run import run\nfrom rag import NewsBot\nfrom index import NewsIndex"),
    ("eval/fit/a.py", "from rag import NewsBot\nfrom index import NewsIndex\nprint('table')"),
    ("rag/a.py", "from index.article import Article\nfrom .answer import Answer\nfrom . import cite"),
    ("index/readers/a.py", "from ..article import Article\nfrom . import sandbox"),
    ("index/a.py", "import indexing, raggedness\nfrom uicorn import x"),
    ("index/vectors.py", "import faiss"),
    ("index/lexical.py", "def f():\n    import tantivy"),
    ("index/a.py", "import json, numpy as np\njson.load(f)\nnp.load('x')\nnp.load('x', allow_pickle=False)"),
    ("ui/cli.py", "import os\nprint(os.environ['X'])"),
    ("eval/__main__.py", "print('x')"),
    ("index/a.py", "footprint = 1\nrow.print()\nimport os\nos.path.join('a')"),
    ("index/database.py", ""),
    ("index/a.py", LONGEST),
    ("index/a.py", LONGEST_WITH_DOCSTRING),
    ("index/a.py", "def f(a, b, c, d, e, *, g, h): ..."),
    ("index/a.py", "class A:\n    def f(self, a, b, c, d, e): ..."),
]


@pytest.mark.parametrize(("path", "source"), INNOCENT)
def test_what_is_allowed_raises_no_complaint(path: str, source: str) -> None:
    assert complaints(path, source) == []


def test_a_complaint_names_the_line_and_the_thing() -> None:
    found = complaints("index/a.py", "import os\n\nfrom rag.bot import NewsBot\n")
    assert found == [Complaint(3, "layers", "index may not import rag.bot.NewsBot")]


def public_names(source: str) -> set[str]:
    """Return the public names that a package's `__init__` makes: what it defines, and what it takes from our own."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").partition(".")[0] in NOT_FOR_IMPORT):
            names |= {alias.asname or alias.name for alias in node.names}
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return {name for name in names if not name.startswith("_")}


def in_order(names: list[str]) -> list[str]:
    """Sort as ruff's RUF022 does: CONSTANTS, then Classes, then functions."""
    return sorted(names, key=lambda name: (0 if name.isupper() else 1 if name[0].isupper() else 2, name))


def test_public_names_are_what_an_init_defines_or_takes_from_us() -> None:
    source = """
import os
from pathlib import Path
from index.article import Article as Story
from .split import split, _hidden
LIMIT = 3
limit: int = 4
_private = 5
def open(): inner = 1
class Index: ...
"""
    assert public_names(source) == {"Story", "split", "LIMIT", "limit", "open", "Index"}


@pytest.mark.parametrize("package", ["index", "rag"])
def test_the_stable_api_is_listed_sorted_and_complete(package: str) -> None:
    listed = list(importlib.import_module(package).__all__)
    source = (CHECKOUT / package / "__init__.py").read_text(encoding="utf-8")
    assert listed == in_order(listed)
    assert set(listed) - {"__version__"} == public_names(source)


@pytest.mark.parametrize("package", ["index", "rag"])
def test_everything_listed_is_there(package: str) -> None:
    module = importlib.import_module(package)
    assert [name for name in module.__all__ if not hasattr(module, name)] == []


def is_listed(target: str) -> bool:
    """Tell whether what an import names is a module of ours, or is in the `__all__` of the one that it stands in."""
    path = CHECKOUT.joinpath(*target.split("."))
    module, _, name = target.rpartition(".")
    return path.is_dir() or path.with_suffix(".py").is_file() or name in importlib.import_module(module).__all__


@pytest.mark.parametrize("path", SOURCES)
def test_a_file_takes_from_index_what_its_modules_list(path: str) -> None:
    tree = ast.parse((CHECKOUT / path).read_text(encoding="utf-8"))
    taken = {target for _, target in imports(File(PurePosixPath(path), tree, {})) if target.startswith("index.")}
    assert {target for target in taken if not is_listed(target)} == set()


def test_a_name_that_its_module_does_not_list_is_found() -> None:
    targets = ("index.store", "index.readers", "index.store.Store", "index.store.json", "index.store._article")
    assert [is_listed(target) for target in targets] == [True, True, True, False, False]


HEAVY = {"gradio", "nncf", "openvino", "sentence_transformers", "torch", "transformers"}


def modules_after(statement: str, home: Path) -> set[str]:
    """Return the top-level modules that a fresh interpreter with an empty home has loaded after a statement."""
    environment = {**os.environ, "HOME": str(home), "PYTHONPATH": str(CHECKOUT)}
    code = f"{statement}; import json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=home, env=environment, check=True, capture_output=True, text=True, timeout=60
    )
    return {name.partition(".")[0] for name in json.loads(done.stdout)}


@pytest.mark.parametrize("package", ["index", "rag"])
def test_importing_loads_no_model_library(package: str, tmp_path: Path) -> None:
    assert modules_after(f"import {package}", home=tmp_path) & HEAVY == set()


def test_importing_makes_no_file(tmp_path: Path) -> None:
    modules_after("import index, rag, eval, ui", home=tmp_path)
    assert list(tmp_path.rglob("*")) == []


def test_a_heavy_import_would_be_seen(tmp_path: Path) -> None:
    (tmp_path / "torch.py").touch()
    assert "torch" in modules_after("import torch", home=tmp_path)
