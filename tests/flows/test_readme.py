"""The README's session, run as it stands: a command that stopped working would be found here."""

from pathlib import Path

from tests.flows.conftest import Flows
from tests.flows.console import run, stable, steps

ROOT = Path(__file__).parents[2]


def test_session_in_the_readme_works_and_prints_what_it_shows(flows: Flows, tmp_path: Path) -> None:
    shown = steps((ROOT / "README.md").read_text())
    printed = run([step.command for step in shown], tmp_path, flows.addresses(tmp_path))
    assert [stable(output) for output in printed] == [stable(step.shown) for step in shown]
