"""The runbook's commands, run section by section as an operator would on the local stack."""

from pathlib import Path

import pytest

from tests.flows.conftest import Flows
from tests.flows.console import run, sections, stable, steps

RUNBOOK = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
SECTIONS = sections(RUNBOOK)
SETUP = steps(SECTIONS[next(iter(SECTIONS))])


@pytest.mark.parametrize("title", SECTIONS)
def test_section_of_the_runbook_works_and_prints_what_it_shows(
    flows: Flows, tmp_path: Path, title: str
) -> None:
    shown = steps(SECTIONS[title])
    commands = [step.command for step in (*SETUP, *shown)]
    printed = run(commands, tmp_path, flows.addresses(tmp_path))[-len(shown) :]
    assert [stable(output) for output in printed] == [stable(step.shown) for step in shown]
