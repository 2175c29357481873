"""Templates that escape by default: `{name}` takes a text, and only Markup stays as it is."""

import functools
from html import escape
from pathlib import Path

_FOLDER = Path(__file__).parent


class Markup(str):
    """HTML of our own. Whatever else is filled into a template is escaped, quotes included."""

    __slots__ = ()


def escaped(text: str) -> Markup:
    """Write a text as HTML."""
    return Markup(escape(text))


@functools.cache
def source(name: str) -> Markup:
    """Return the text of a file of this folder. It is read when it is first asked for."""
    return Markup((_FOLDER / name).read_text(encoding="utf-8"))


def fill(name: str, /, **values: object) -> Markup:
    """Fill the template of this name. Every `{name}` in it needs a value, or KeyError is raised."""
    return Markup(source(name).format_map({key: _safe(value) for key, value in values.items()}))


def _safe(value: object) -> str:
    return value if isinstance(value, Markup) else escape(str(value))
