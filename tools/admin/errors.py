"""Why a command ends without its answer.

AdminError              exit status 1
├── RefusedError        the admin function, or this tool, refuses to do it
├── AwsError            AWS refuses, does not answer, or lacks what is asked for
└── UsageError          exit status 2: the command line itself is wrong
"""


class AdminError(Exception):
    """The command failed; the text says why, and what would help."""

    exit_status = 1


class RefusedError(AdminError):
    """The command was understood, and must not be done."""


class AwsError(AdminError):
    """AWS did not do its part."""


class UsageError(AdminError):
    """An option is missing, or options do not go together."""

    exit_status = 2
