"""moto drops a bucket's versioning, public-access block and ownership."""

from collections.abc import Mapping
from typing import Any


def complete(s3: Any, bucket: str, properties: Mapping[str, Any]) -> None:
    """Set what the template says of the bucket."""
    if versioning := properties.get("VersioningConfiguration"):
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=versioning)
    if block := properties.get("PublicAccessBlockConfiguration"):
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block)
    if ownership := properties.get("OwnershipControls"):
        s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=ownership)
