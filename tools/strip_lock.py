"""Leave package indexes out of a Pipfile.lock, so that pipenv's default applies everywhere.

pipenv writes `_meta.sources` and an `index` key per package each time it locks. `sources` becomes
an empty list (pipenv fails where the key is absent); the `index` keys go. Hashes stay.
"""

import json
import pathlib
import sys
from typing import Any


def strip(lock: dict[str, Any]) -> dict[str, Any]:
    """Return the lock without the names of package indexes; the argument is changed."""
    lock["_meta"]["sources"] = []
    for section in ("default", "develop"):
        for package in lock.get(section, {}).values():
            package.pop("index", None)
    return lock


if __name__ == "__main__":
    path = pathlib.Path(sys.argv[1])
    stripped = strip(json.loads(path.read_text()))
    path.write_text(json.dumps(stripped, indent=4, sort_keys=True) + "\n")
