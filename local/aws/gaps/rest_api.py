"""moto makes no API of a SAM template's body; the gateway routes by the template itself."""

from typing import Any


def change(logical_id: str, properties: dict[str, Any]) -> None:
    """Keep the API's id, which outputs and ARNs need, and nothing else."""
    name = properties.get("Name", logical_id)
    properties.clear()
    properties["Name"] = name
