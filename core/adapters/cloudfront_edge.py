"""The CloudFront distribution in front of the public routes."""

import uuid
from typing import TYPE_CHECKING

from core.adapters.aws_errors import translated
from core.errors import EdgeUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient


class CloudFrontEdge:
    """Implements EdgeCache for a distribution."""

    def __init__(self, cloudfront: "CloudFrontClient", distribution_id: str) -> None:
        self._cloudfront = cloudfront
        self._distribution_id = distribution_id

    def invalidate(self) -> str | None:
        """Invalidate every path: one wildcard counts as one path, however many it covers."""
        with translated(EdgeUnavailableError, "CloudFront CreateInvalidation"):
            return self._cloudfront.create_invalidation(
                DistributionId=self._distribution_id,
                InvalidationBatch={
                    "Paths": {"Quantity": 1, "Items": ["/*"]},
                    "CallerReference": uuid.uuid4().hex,
                },
            )["Invalidation"]["Id"]


class NoEdge:
    """Implements EdgeCache where there is no distribution."""

    def invalidate(self) -> str | None:
        """Do nothing; there is nothing to drop."""
        return None
