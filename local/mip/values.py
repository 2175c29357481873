"""Checks of values that came in as JSON."""


def is_number(value: object, lowest: float, highest: float) -> bool:
    """Tell whether the value is a number (no boolean) in that range, both ends included."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return lowest <= value <= highest


def is_whole_number(value: object, lowest: int, highest: float) -> bool:
    """Tell whether the value is an integer in that range, both ends included."""
    return isinstance(value, int) and is_number(value, lowest, highest)


def is_ascii_text(value: object) -> bool:
    """Tell whether the value is a text that can stand in an HTTP header."""
    return isinstance(value, str) and value.isascii() and value.isprintable()
