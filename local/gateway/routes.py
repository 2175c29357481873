"""Which route of the API a request takes, by API Gateway's rules of preference."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from local.template.stack_template import Route


@dataclass(frozen=True)
class Match:
    """The route that a request takes, and what its path's variables stand for."""

    route: Route
    path_parameters: Mapping[str, str]


def match(routes: Iterable[Route], method: str, path: str) -> Match | None:
    """The most specific path wins, then an explicit method over any. None: there is no route.

    As in API Gateway, a path that fits with the wrong method is not given up for a vaguer path.
    """
    fitting = [
        Match(route, found)
        for route in routes
        if (found := _path_parameters(route.path, path)) is not None
    ]
    if not fitting:
        return None
    best = min(_generality(candidate.route.path) for candidate in fitting)
    usable = [
        candidate
        for candidate in fitting
        if _generality(candidate.route.path) == best
        and candidate.route.method in (method.lower(), "any")
    ]
    return min(usable, key=lambda found: found.route.method == "any", default=None)


def readable_paths(routes: Iterable[Route]) -> dict[str, bool]:
    """The paths that GET can read as they stand, with whether they want a signature."""
    return {
        route.path: route.requires_iam
        for route in sorted(routes, key=lambda route: route.path)
        if route.method == "get" and "{" not in route.path
    }


def _path_parameters(pattern: str, path: str) -> dict[str, str] | None:
    """What the pattern's variables stand for in the path; None if it does not fit."""
    wanted, given = _segments(pattern), _segments(path)
    found: dict[str, str] = {}
    for index, segment in enumerate(wanted):
        if segment.endswith("+}"):
            rest = given[index:]
            return found | {segment[1:-2]: "/".join(rest)} if rest else None
        if index >= len(given):
            return None
        if segment.startswith("{"):
            found[segment[1:-1]] = given[index]
        elif segment != given[index]:
            return None
    return found if len(given) == len(wanted) else None


def _segments(path: str) -> list[str]:
    # A slash at the end makes no difference to API Gateway.
    stripped = path.strip("/")
    return stripped.split("/") if stripped else []


def _generality(pattern: str) -> list[int]:
    """Orders patterns that fit one path: literal segments before variables before `{proxy+}`."""
    return [
        2 if segment.endswith("+}") else int(segment.startswith("{"))
        for segment in _segments(pattern)
    ]
