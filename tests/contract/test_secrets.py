"""What every parameter store promises."""

import boto3
import pytest

from core.adapters.ssm_secrets import SsmSecrets
from core.errors import SecretsUnavailableError
from core.ports import Secrets
from tests.contract.conftest import PATH


def test_credentials_come_with_the_versions_of_both_parameters(vault: Secrets) -> None:
    credentials = vault.credentials()
    assert credentials.username
    assert credentials.password
    assert list(credentials.versions.values()) == [1, 1]


def test_password_is_not_shown_by_repr(vault: Secrets) -> None:
    credentials = vault.credentials()
    assert credentials.password not in repr(credentials)


def test_session_token_is_absent_at_first(vault: Secrets) -> None:
    assert vault.session_token() is None


def test_session_token_is_read_back_until_it_is_forgotten(vault: Secrets) -> None:
    vault.store_session_token("token-1")
    vault.store_session_token("token-2")
    assert vault.session_token() == "token-2"
    vault.forget_session_token()
    assert vault.session_token() is None


def test_forgetting_what_is_absent_does_not_matter(vault: Secrets) -> None:
    vault.forget_session_token()
    assert vault.session_token() is None


def test_session_note_is_an_encrypted_parameter(aws: None) -> None:
    ssm = boto3.client("ssm")
    secrets = SsmSecrets(ssm, PATH)
    assert secrets.is_session_open() is False
    secrets.store_session_token("token-1")
    assert secrets.is_session_open() is True
    parameter = ssm.get_parameter(Name=f"{PATH}/session")["Parameter"]
    assert parameter["Type"] == "SecureString"
    assert parameter["Value"] != "token-1"


def test_missing_credentials_are_named(aws: None) -> None:
    ssm = boto3.client("ssm")
    ssm.put_parameter(Name=f"{PATH}/user", Value="u", Type="SecureString")
    with pytest.raises(SecretsUnavailableError, match=f"no parameter {PATH}/pass"):
        SsmSecrets(ssm, PATH).credentials()


def test_changed_password_has_another_version(aws: None) -> None:
    ssm = boto3.client("ssm")
    for name in ("user", "pass"):
        ssm.put_parameter(Name=f"{PATH}/{name}", Value="1", Type="SecureString")
    secrets = SsmSecrets(ssm, PATH)
    before = secrets.credentials().versions
    ssm.put_parameter(Name=f"{PATH}/pass", Value="2", Type="SecureString", Overwrite=True)
    assert secrets.credentials().versions != before
