"""The command line of `python -m local`."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.mip import Credentials
from local.template.stack_template import DEFAULT_TEMPLATE


class UsageError(ValueError):
    """The options, or the environment that goes with them, do not fit together."""


@dataclass(frozen=True)
class Arguments:
    """What the person at the terminal asked for."""

    api_port: int
    aws_port: int
    mip_port: int
    template: Path
    parameters: Mapping[str, str]
    mip_login_url: str | None
    mip_api_url: str | None
    warm: bool
    verbose: bool
    logs: Path | None
    reader_concurrency: int

    @property
    def real_mip(self) -> bool:
        """Whether MIP Cloud runs elsewhere, so that no stand-in is started."""
        return bool(self.mip_login_url or self.mip_api_url)


def parse(arguments: Sequence[str] | None = None) -> Arguments:
    """Read the command line; ends the process with status 2 where it is wrong."""
    parser = _parser()
    given = vars(parser.parse_args(arguments))
    pairs = [pair.partition("=") for pair in given.pop("parameter")]
    for name, sign, _ in pairs:
        if not name or not sign:
            parser.error(f"argument --parameter: expected Name=Value, not {name!r}")
    return Arguments(parameters={name: value for name, _, value in pairs}, **given)


def credentials(arguments: Arguments, environment: Mapping[str, str]) -> Credentials | None:
    """What the worker logs in with where MIP Cloud is not the stand-in; else None.

    Raises UsageError if MIP_USER, MIP_PASSWORD or the organization is missing.
    """
    if not arguments.real_mip:
        return None
    org = arguments.parameters.get("MipOrganization") or environment.get("MIP_ORG")
    user, password = environment.get("MIP_USER"), environment.get("MIP_PASSWORD")
    if user and password and org:
        return Credentials(user, password, org)
    raise UsageError(
        "with --mip-login-url or --mip-api-url, the environment must hold MIP_USER, MIP_PASSWORD "
        "and MIP_ORG (or give --parameter MipOrganization=...)"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m local",
        description="Run the whole service on this machine: API, AWS, functions, MIP Cloud.",
        epilog="Everything listens on 127.0.0.1 only. Ctrl-C ends it.",
    )
    add = parser.add_argument
    for option, port, server in (
        ("--api-port", 3000, "the API"),
        ("--aws-port", 4566, "the local AWS"),
        ("--mip-port", 8900, "the MIP Cloud stand-in"),
    ):
        add(option, type=_port, default=port, metavar="PORT", help=f"of {server} ({port})")
    add("--template", type=Path, default=DEFAULT_TEMPLATE, help="default: the project's")
    add(
        "--parameter",
        action="append",
        default=[],
        metavar="Name=Value",
        help="a parameter of the template, such as MissWaitSeconds=5 (repeatable)",
    )
    add("--mip-login-url", metavar="URL", help="log in there, not to the stand-in")
    add("--mip-api-url", metavar="URL", help="fetch from there, not from the stand-in")
    add("--warm", action="store_true", help="fill the cache at once, as the schedule would")
    add("--verbose", action="store_true", help="show what the functions log")
    add("--logs", type=Path, metavar="DIR", help="keep the functions' logs there")
    add(
        "--reader-concurrency",
        type=_positive,
        default=8,
        metavar="N",
        help="requests that the reader serves at once (8)",
    )
    return parser


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 65536):
        raise argparse.ArgumentTypeError(f"must be a port from 0 (any) to 65535, not {text}")
    return int(text)


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"must be a whole number above 0, not {text}")
    return int(text)
