"""What the pages refer to exists: files, the names in them, pictures, other pages and headings."""

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
# `core/reading/lookup.py` or `core/reading/lookup.py: Lookup.find, LoadedEntry`
REFERENCE = re.compile(r"`([\w./]+/[\w.]+\.py)(?:: ([\w., ]+))?`")
LINK = re.compile(r"\]\((?![a-z]+:)([^)\s]+)\)")
"""A link to a file of the project."""
A_PAGE = 60
"""Lines of a decision that a reader takes in at once."""


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def prose(page: Path) -> str:
    return FENCED.sub("", page.read_text())


def headings(page: Path) -> set[str]:
    """Return the anchors that a forge makes of the page's headings."""
    titles = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@functools.cache
def defined(path: Path) -> frozenset[str]:
    """Return the names that a module defines: at its top, and in its classes as `Class.name`."""
    names: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        names |= set(_names(node))
        if isinstance(node, ast.ClassDef):
            inner = [*node.body, *(n for n in ast.walk(node) if isinstance(n, ast.Attribute))]
            names |= {f"{node.name}.{name}" for part in inner for name in _names(part)}
    return frozenset(names)


def _names(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Assign(targets=targets):
            yield from (target.id for target in targets if isinstance(target, ast.Name))
        case ast.AnnAssign(target=ast.Name(id=name)) | ast.TypeAlias(name=ast.Name(id=name)):
            yield name
        case ast.Attribute(attr=name, ctx=ast.Store()):  # `self.name = …`
            yield name


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_files_and_names_that_a_page_tells_of_exist(page: Path) -> None:
    missing = []
    for path, names in REFERENCE.findall(page.read_text()):
        if not (ROOT / path).is_file():
            missing.append(path)
            continue
        wanted = [wanted.strip() for wanted in names.split(",") if wanted.strip()]
        missing += [f"{path}: {wanted}" for wanted in wanted if wanted not in defined(ROOT / path)]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    broken = []
    for target in LINK.findall(prose(page)):
        path, _, anchor = target.partition("#")
        file = (page.parent / path) if path else page
        if not file.exists() or (anchor and anchor not in headings(file)):
            broken.append(target)
    assert broken == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page.is_file() and page not in reached:
            reached.add(page)
            links = LINK.findall(prose(page)) if page.suffix == ".md" else []
            waiting += [(page.parent / link.partition("#")[0]).resolve() for link in links]
    assert [name(page) for page in PAGES if page not in reached] == []


@pytest.mark.parametrize("record", DECISIONS, ids=lambda record: record.stem)
def test_decision_is_a_page_with_context_decision_and_consequences(record: Path) -> None:
    text = record.read_text()
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]
    assert len(text.splitlines()) <= A_PAGE


def test_index_of_the_decisions_lists_each_by_its_title() -> None:
    index = (ROOT / "docs" / "decisions" / "README.md").read_text()
    titles = [record.read_text().partition("\n")[0].removeprefix("# ") for record in DECISIONS]
    listed = re.findall(r"^\| \[(.+?)\]\((.+?)\)", index, re.MULTILINE)
    assert listed == [(title, rec.name) for title, rec in zip(titles, DECISIONS, strict=True)]


def test_picture_of_the_readme_has_every_word_of_the_diagram_that_it_was_rendered_from() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    diagram = page.partition("```mermaid\n")[2].partition("```")[0]
    picture = (ROOT / "docs" / "images" / "components.svg").read_text()
    words = set(re.findall(r"[\w-]+", " ".join(re.findall(r">([^<>]+)<", picture))))
    labels = " ".join(re.findall(r'"(.+?)"', diagram)).replace("<br>", " ")
    assert set(re.findall(r"[\w-]+", labels)) - words == set()
