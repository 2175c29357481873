"""The table of sizes that ends a build."""

from pathlib import Path

from tests.build.conftest import script


def test_each_function_has_a_row_of_sizes_and_their_ratio(tmp_path: Path) -> None:
    for name in ("WorkerFunction", "ReaderFunction"):
        (tmp_path / name / "core").mkdir(parents=True)
        (tmp_path / name / "core" / "data").write_bytes(bytes(2_000_000))
    (tmp_path / "template.yaml").write_text("")
    done = script("report_sizes.py", tmp_path)
    assert [" ".join(line.split()) for line in done.stdout.splitlines()] == [
        "Function unzipped zipped ratio",
        "ReaderFunction 2.0 MB 0.0 MB 0.00",
        "WorkerFunction 2.0 MB 0.0 MB 0.00",
    ]


def test_a_folder_without_artifacts_is_told(tmp_path: Path) -> None:
    done = script("report_sizes.py", tmp_path)
    assert done.returncode == 1
    assert "there is no artifact in" in done.stderr
