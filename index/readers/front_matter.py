"""Front matter: the block of YAML between lines of three hyphens at the very top of a Markdown file."""

import re

import yaml

from index.errors import UnreadableError
from index.readers.record import shown

__all__ = ["split_front_matter"]

_BLOCK = re.compile(r"\A---[ \t]*\n(?P<yaml>.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_MAX_CHARACTERS = 20_000  # PyYAML is slow on hostile input, and nobody writes as much
_NULL = "tag:yaml.org,2002:null"
_CURE = "write lines of `name: value`"


def split_front_matter(text: str) -> tuple[dict[str, object], str]:
    r"""Return the fields of the front matter, none where there is no such block, and what follows it.

    Values are taken as they are written: strings, lists, mappings and null.

    >>> split_front_matter("---\ntitle: 1984\n---\nIt was a bright cold day.")
    ({'title': '1984'}, 'It was a bright cold day.')
    """
    block = _BLOCK.match(text)
    if not block:
        return {}, text
    if len(block["yaml"]) > _MAX_CHARACTERS:
        size = f"{len(block['yaml']):,} characters, over the limit of {_MAX_CHARACTERS:,}"
        raise UnreadableError(f"the front matter has {size}; shorten it")
    return _fields(block["yaml"]), text[block.end() :]


def _fields(block: str) -> dict[str, object]:
    try:
        document = yaml.load(block, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 2 if error.problem_mark else 1  # the block begins on the second line
        raise UnreadableError(f"line {line} of the front matter is not YAML ({error.problem}); {_CURE}") from error
    except yaml.reader.ReaderError as error:
        line = block.count("\n", 0, error.position) + 2
        raise UnreadableError(f"line {line} of the front matter holds U+{error.character:04X}; remove it") from error
    except RecursionError as error:
        raise UnreadableError(f"the front matter is nested too deeply; {_CURE}") from error
    if not isinstance(document, dict | None):
        raise UnreadableError(f"the front matter is {shown(document)}; {_CURE}, or begin the file with a blank line")
    return {str(name): value for name, value in (document or {}).items()}


class _Loader(yaml.BaseLoader):
    """Load YAML without its types: `title: 1984` is no number, `source: no` no truth, a date what stands there."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse aliases: a few lines of them can stand for gigabytes, or for themselves."""
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call] # the stubs leave it out
            raise yaml.composer.ComposerError(problem=f"alias *{event.anchor}", problem_mark=event.start_mark)
        return super().compose_node(parent, index)


_Loader.add_implicit_resolver(_NULL, re.compile(r"~|null|Null|NULL"), ["~", "n", "N"])
_Loader.add_constructor(_NULL, lambda loader, node: None)
