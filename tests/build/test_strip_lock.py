"""The lock file names no package index, so that the one that is configured applies."""

import json
from pathlib import Path

from tests.build.conftest import ROOT, script


def test_indexes_go_and_everything_else_stays(tmp_path: Path) -> None:
    package = {"version": "==1.0", "hashes": ["sha256:0a"], "markers": "python_version >= '3'"}
    source = {"name": "main", "url": "https://index.example.org/simple", "verify_ssl": True}
    path = tmp_path / "Pipfile.lock"

    def lock(sources: list[object], **index: str) -> dict[str, object]:
        meta = {"hash": {"sha256": "0b"}, "sources": sources}
        return {"_meta": meta, "default": {"boto3": package | index}, "develop": {"moto": package}}

    path.write_text(json.dumps(lock([source], index="main")))
    assert script("strip_lock.py", path).returncode == 0
    assert json.loads(path.read_text()) == lock([])


def test_the_projects_lock_is_stripped() -> None:
    text = (ROOT / "Pipfile.lock").read_text(encoding="utf-8")
    assert json.loads(text)["_meta"]["sources"] == []
    assert '"index":' not in text
