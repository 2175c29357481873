"""Credentials and the session note in the SSM parameter store, as SecureStrings."""

from typing import TYPE_CHECKING

from core.adapters.aws import translated
from core.errors import SecretsUnavailableError
from core.ports import Credentials

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


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

    def session_token(self) -> str | None:
        """Read the noted token."""
        return self._noted_session(decrypt=True)

    def is_session_open(self) -> bool:
        """Look whether a token is noted; it stays encrypted, so no right to the key is needed."""
        return self._noted_session(decrypt=False) is not None

    def store_session_token(self, token: str) -> None:
        """Note the token, under the account's own key for parameters (alias/aws/ssm)."""
        with translated(SecretsUnavailableError, "SSM PutParameter"):
            self._ssm.put_parameter(
                Name=self._session, Value=token, Type="SecureString", Overwrite=True
            )

    def forget_session_token(self) -> None:
        """Delete the note."""
        with translated(SecretsUnavailableError, "SSM DeleteParameter"):
            try:
                self._ssm.delete_parameter(Name=self._session)
            except self._ssm.exceptions.ParameterNotFound:
                return

    def _noted_session(self, *, decrypt: bool) -> str | None:
        with translated(SecretsUnavailableError, "SSM GetParameter"):
            try:
                response = self._ssm.get_parameter(Name=self._session, WithDecryption=decrypt)
            except self._ssm.exceptions.ParameterNotFound:
                return None
        return response["Parameter"]["Value"]
