"""The cache bucket and the key of the credentials."""

from tests.template.stack import stack


def bucket(setting):
    return stack().properties("CacheBucket")[setting]


def test_bucket_is_private_encrypted_and_versioned():
    blocked = bucket("PublicAccessBlockConfiguration")
    [rule] = bucket("BucketEncryption")["ServerSideEncryptionConfiguration"]
    assert (len(blocked), set(blocked.values())) == (4, {True})
    assert bucket("OwnershipControls") == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert bucket("VersioningConfiguration") == {"Status": "Enabled"}


def test_bucket_forgets_old_versions_of_everything_and_current_ones_of_unused_balances_only():
    old, unused = bucket("LifecycleConfiguration")["Rules"]
    assert old["NoncurrentVersionExpiration"]
    assert old["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] >= 1
    assert (old["ExpiredObjectDeleteMarker"], old["Status"]) == (True, "Enabled")
    assert not {"Prefix", "ExpirationInDays"} & set(old)
    assert unused["Prefix"] == "cache/v1/balances/"


def test_key_rotates_and_has_the_alias_of_the_parameter():
    alias = stack(SsmAliasPrefix="books").properties("SsmKeyAlias")
    assert stack().properties("SsmKey")["EnableKeyRotation"] is True
    assert alias == {"AliasName": "alias/books-ssm-key", "TargetKeyId": "${SsmKey}"}
