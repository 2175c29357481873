"""Credentials and the session's note in the SSM parameter store, as SecureStrings.

The note is overwritten and never deleted, because a deleted name can be created again only after 30
seconds (Systems Manager API Reference, DeleteParameter). A standard parameter keeps 100 versions,
and the oldest goes by itself.
"""

from typing import TYPE_CHECKING

from core.adapters.aws_errors import translated
from core.errors import SecretsUnavailableError
from core.ports import Credentials, NotedSession

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


CLOSED = "closed"
"""The note's text while no session is open. No token of MIP looks like this."""


class SsmSecrets:
    """Implements Secrets and SessionNote.

    `{path}/user` and `{path}/pass` are an operator's; `{path}/session` is the worker's own.
    """

    def __init__(self, ssm: "SSMClient", path: str) -> None:
        self._ssm = ssm
        self._user = f"{path}/user"
        self._password = f"{path}/pass"
        self._session = f"{path}/session"

    def credentials(self) -> Credentials:
        """Read user and password with their versions."""
        with translated(SecretsUnavailableError, "SSM GetParameters"):
            response = self._ssm.get_parameters(
                Names=[self._user, self._password], WithDecryption=True
            )
        found = {parameter["Name"]: parameter for parameter in response["Parameters"]}
        missing = [name for name in (self._user, self._password) if name not in found]
        if missing:
            raise SecretsUnavailableError(f"SSM has no parameter {' and no '.join(missing)}")
        return Credentials(
            username=found[self._user]["Value"],
            password=found[self._password]["Value"],
            versions={name: parameter["Version"] for name, parameter in found.items()},
        )

    def noted_session(self) -> NotedSession | None:
        """Read the note. One that is absent, blank or `closed` stands for no session."""
        with translated(SecretsUnavailableError, "SSM GetParameter"):
            try:
                response = self._ssm.get_parameter(Name=self._session, WithDecryption=True)
            except self._ssm.exceptions.ParameterNotFound:
                return None
        parameter = response["Parameter"]
        token = parameter["Value"].strip()
        if token in {"", CLOSED}:
            return None
        return NotedSession(token, parameter["LastModifiedDate"])

    def is_session_open(self) -> bool:
        """Decrypt the note to compare it with `closed`; the token is neither kept nor returned."""
        return self.noted_session() is not None

    def note_session(self, token: str) -> None:
        """Write the token, under the account's own key for parameters (alias/aws/ssm)."""
        self._write_note(token)

    def note_no_session(self) -> None:
        """Write `closed` over the token."""
        self._write_note(CLOSED)

    def _write_note(self, text: str) -> None:
        with translated(SecretsUnavailableError, "SSM PutParameter"):
            self._ssm.put_parameter(
                Name=self._session, Value=text, Type="SecureString", Overwrite=True
            )
