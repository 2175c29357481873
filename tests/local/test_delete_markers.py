"""The local S3 names the delete marker of what is gone, as AWS does and moto does not."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.aws import AwsServer


@pytest.fixture
def s3() -> Iterator[Any]:
    server = AwsServer(0)
    client = server.client("s3")
    client.create_bucket(Bucket="cache")
    client.put_bucket_versioning(Bucket="cache", VersioningConfiguration={"Status": "Enabled"})
    yield client
    server.stop()


def told_of_missing(s3: Any, bucket: str, key: str) -> tuple[str | None, str | None]:
    with pytest.raises(ClientError) as caught:
        s3.get_object(Bucket=bucket, Key=key)
    response = caught.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 404
    headers = response["ResponseMetadata"]["HTTPHeaders"]
    return headers.get("x-amz-delete-marker"), headers.get("x-amz-version-id")


def delete(s3: Any) -> str:
    s3.put_object(Bucket="cache", Key="v1/programs.json", Body=b"{}")
    return str(s3.delete_object(Bucket="cache", Key="v1/programs.json")["VersionId"])


def test_deleted_object_is_missing_with_its_delete_marker(s3: Any) -> None:
    marker = delete(s3)
    assert told_of_missing(s3, "cache", "v1/programs.json") == ("true", marker)


def test_each_deletion_has_a_marker_of_its_own(s3: Any) -> None:
    first = delete(s3)
    second = delete(s3)
    assert told_of_missing(s3, "cache", "v1/programs.json")[1] == second != first


@pytest.mark.parametrize(("bucket", "key"), [("cache", "v1/other.json"), ("nobodys", "x")])
def test_what_never_was_is_missing_without_one(s3: Any, bucket: str, key: str) -> None:
    assert told_of_missing(s3, bucket, key) == (None, None)


def test_object_that_was_written_again_is_there(s3: Any) -> None:
    delete(s3)
    s3.put_object(Bucket="cache", Key="v1/programs.json", Body=b"[]")
    assert s3.get_object(Bucket="cache", Key="v1/programs.json")["Body"].read() == b"[]"
