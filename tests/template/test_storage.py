"""The cache bucket and the key of the credentials."""

import pytest

from tests.template.stack import stack

ADMIN = "arn:aws:iam::123456789012:role/KeyAdmin"
ROOT = "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"


def bucket():
    return stack().properties("CacheBucket")


def lifecycle_rules():
    return {rule["Id"]: rule for rule in bucket()["LifecycleConfiguration"]["Rules"]}


def key_statement(**parameters):
    [only] = stack(**parameters).properties("SsmKey")["KeyPolicy"]["Statement"]
    return only


def test_bucket_blocks_all_public_access():
    assert bucket()["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "BlockPublicPolicy": True,
        "IgnorePublicAcls": True,
        "RestrictPublicBuckets": True,
    }


def test_bucket_knows_no_acls():
    assert bucket()["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


def test_bucket_is_encrypted():
    [rule] = bucket()["BucketEncryption"]["ServerSideEncryptionConfiguration"]

    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


def test_bucket_is_versioned():
    assert bucket()["VersioningConfiguration"] == {"Status": "Enabled"}


def test_bucket_forgets_old_versions_and_what_they_leave():
    rule = lifecycle_rules()["forget-old-versions"]

    assert rule["Status"] == "Enabled"
    assert "Prefix" not in rule
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert rule["ExpiredObjectDeleteMarker"] is True
    assert rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] >= 1


def test_bucket_forgets_current_objects_of_unused_balances_only():
    expiring = [rule for rule in lifecycle_rules().values() if "ExpirationInDays" in rule]

    assert [(rule["Prefix"], rule["ExpirationInDays"]) for rule in expiring] == [
        ("cache/v1/balances/", 400)
    ]


@pytest.mark.parametrize("name", ["CacheBucket", "SsmKey"])
def test_data_outlives_the_stack(name):
    resource = stack().resources[name]

    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_key_rotates():
    assert stack().properties("SsmKey")["EnableKeyRotation"] is True


def test_key_policy_names_every_action():
    assert not [action for action in key_statement()["Action"] if "*" in action]


def test_key_policy_lets_the_account_repair_it():
    """A key whose policy nobody may change any more is lost."""
    assert {"kms:PutKeyPolicy", "kms:GetKeyPolicy"} <= set(key_statement()["Action"])


def test_key_policy_without_admins_names_the_account_alone():
    assert key_statement()["Principal"] == {"AWS": ROOT}


def test_key_policy_with_admins_names_them_too():
    assert key_statement(SsmKeyAdminArns=ADMIN)["Principal"] == {"AWS": [ROOT, ADMIN]}


def test_key_alias_begins_with_the_parameter():
    alias = stack(SsmAliasPrefix="books").properties("SsmKeyAlias")

    assert alias == {"AliasName": "alias/books-ssm-key", "TargetKeyId": "${SsmKey}"}
