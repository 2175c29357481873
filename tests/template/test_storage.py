"""The cache bucket and the key of the credentials."""

import pytest

from tests.template.stack import stack


def bucket():
    return stack().properties("CacheBucket")


def test_bucket_is_private():
    blocked = bucket()["PublicAccessBlockConfiguration"]

    assert set(blocked) == {
        "BlockPublicAcls",
        "BlockPublicPolicy",
        "IgnorePublicAcls",
        "RestrictPublicBuckets",
    }
    assert all(value is True for value in blocked.values())
    assert bucket()["OwnershipControls"] == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


def test_bucket_is_encrypted_and_versioned():
    [rule] = bucket()["BucketEncryption"]["ServerSideEncryptionConfiguration"]

    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert bucket()["VersioningConfiguration"] == {"Status": "Enabled"}


def test_bucket_forgets_old_versions_of_everything_and_what_they_leave():
    rules = bucket()["LifecycleConfiguration"]["Rules"]
    [rule] = [rule for rule in rules if "NoncurrentVersionExpiration" in rule]

    assert rule["Status"] == "Enabled"
    assert "Prefix" not in rule
    assert rule["ExpiredObjectDeleteMarker"] is True
    assert rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] >= 1


def test_bucket_forgets_current_objects_of_unused_balances_only():
    rules = bucket()["LifecycleConfiguration"]["Rules"]

    assert [rule["Prefix"] for rule in rules if "ExpirationInDays" in rule] == [
        "cache/v1/balances/"
    ]


@pytest.mark.parametrize("name", ["CacheBucket", "SsmKey"])
def test_data_outlives_the_stack(name):
    resource = stack().resources[name]

    assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_key_rotates_and_has_the_alias_of_the_parameter():
    alias = stack(SsmAliasPrefix="books").properties("SsmKeyAlias")

    assert stack().properties("SsmKey")["EnableKeyRotation"] is True
    assert alias == {"AliasName": "alias/books-ssm-key", "TargetKeyId": "${SsmKey}"}
