"""What every parameter store promises."""

import boto3
import pytest

from core.adapters.ssm_secrets import SsmSecrets
from core.errors import SecretsUnavailableError
from core.ports import Secrets
from tests.contract.conftest import PATH


def test_credentials_come_with_the_versions_of_both_parameters_and_show_no_password(
    vault: Secrets,
) -> None:
    credentials = vault.credentials()
    assert credentials.username
    assert credentials.password
    assert credentials.password not in repr(credentials)
    assert list(credentials.versions.values()) == [1, 1]


def test_session_is_noted_until_it_is_noted_as_closed(vault: Secrets) -> None:
    assert vault.noted_session() is None
    vault.note_session("token-1")
    vault.note_session("token-2")
    noted = vault.noted_session()
    assert noted is not None
    assert noted.token == "token-2"
    assert "token-2" not in repr(noted)
    assert noted.noted_at.tzinfo is not None
    for _ in range(2):
        vault.note_no_session()
        assert vault.noted_session() is None
    vault.note_session("token-3")
    assert vault.noted_session() is not None


def test_session_note_is_an_encrypted_parameter_that_is_never_deleted(aws: None) -> None:
    """SSM wants 30 seconds between deleting a parameter and creating one of the same name."""
    ssm = boto3.client("ssm")
    secrets = SsmSecrets(ssm, PATH)
    assert secrets.is_session_open() is False
    secrets.note_session("token-1")
    assert secrets.is_session_open() is True
    parameter = ssm.get_parameter(Name=f"{PATH}/session")["Parameter"]
    assert parameter["Type"] == "SecureString"
    assert parameter["Value"] != "token-1"
    secrets.note_no_session()
    assert secrets.is_session_open() is False
    parameter = ssm.get_parameter(Name=f"{PATH}/session", WithDecryption=True)["Parameter"]
    assert (parameter["Value"], parameter["Version"]) == ("closed", 2)


@pytest.mark.parametrize(
    ("text", "token"),
    [
        (" ", None),
        ("closed", None),
        (" closed\n", None),
        ("token-of-an-older-version\n", "token-of-an-older-version"),
    ],
)
def test_session_note_of_any_origin_is_read(aws: None, text: str, token: str | None) -> None:
    ssm = boto3.client("ssm")
    ssm.put_parameter(Name=f"{PATH}/session", Value=text, Type="String")
    noted = SsmSecrets(ssm, PATH).noted_session()
    assert (noted.token if noted else None) == token


def test_missing_credentials_are_named(aws: None) -> None:
    ssm = boto3.client("ssm")
    ssm.put_parameter(Name=f"{PATH}/user", Value="u", Type="SecureString")
    with pytest.raises(SecretsUnavailableError, match=f"no parameter {PATH}/pass"):
        SsmSecrets(ssm, PATH).credentials()


@pytest.mark.parametrize("vault", ["ssm"], indirect=True)
def test_changed_password_is_read_decrypted_and_has_another_version(vault: Secrets) -> None:
    name = f"{PATH}/pass"
    boto3.client("ssm").put_parameter(Name=name, Value="2", Type="SecureString", Overwrite=True)
    credentials = vault.credentials()
    assert (credentials.username, credentials.password) == ("the user", "2")
    assert credentials.versions == {f"{PATH}/user": 1, name: 2}
