"""README and docs, run section by section on the local stack: nothing in them may rot unseen."""

from pathlib import Path

import pytest

from tests.flows.conftest import Flows
from tests.flows.console import play, sections, stable

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
SECTIONS = {
    f"{path.relative_to(ROOT)}: {title}": (path, title)
    for path in DOCUMENTS
    for title in sections(path.read_text())
}


@pytest.mark.parametrize(("path", "title"), SECTIONS.values(), ids=SECTIONS)
def test_section_works_and_prints_what_it_shows(
    flows: Flows, tmp_path: Path, path: Path, title: str
) -> None:
    flows.renew_readers()
    played = play(path.read_text(), title, tmp_path, flows.addresses(tmp_path))
    assert [stable(output) for _, output in played] == [stable(step.shown) for step, _ in played]


def test_every_document_for_users_has_something_that_is_run() -> None:
    run_here = {path.name for path, _ in SECTIONS.values()}
    assert run_here >= {"README.md", "api.md", "operations.md", "rehearsals.md"}
