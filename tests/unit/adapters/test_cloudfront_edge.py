"""The CDN in front of the public routes."""

from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from core.adapters.cloudfront_edge import CloudFrontEdge, NoEdge
from core.errors import EdgeUnavailableError


@pytest.fixture
def cloudfront() -> Any:
    return boto3.client("cloudfront")


def test_edge_invalidates_every_path(cloudfront: Any) -> None:
    request = {
        "DistributionId": "E123",
        "InvalidationBatch": {
            "Paths": {"Quantity": 1, "Items": ["/*"]},
            "CallerReference": ANY,
        },
    }
    reply = {
        "Invalidation": {
            "Id": "I-1",
            "Status": "InProgress",
            "CreateTime": "2026-10-15T12:00:00Z",
            "InvalidationBatch": {"Paths": {"Quantity": 1}, "CallerReference": "x"},
        }
    }
    with Stubber(cloudfront) as stubber:
        stubber.add_response("create_invalidation", reply, request)
        assert CloudFrontEdge(cloudfront, "E123").invalidate() == "I-1"


def test_edge_that_refuses_is_an_error_of_ours(cloudfront: Any) -> None:
    with Stubber(cloudfront) as stubber:
        stubber.add_client_error("create_invalidation", "TooManyInvalidationsInProgress")
        with pytest.raises(EdgeUnavailableError, match="TooManyInvalidationsInProgress"):
            CloudFrontEdge(cloudfront, "E123").invalidate()


def test_no_edge_has_nothing_to_invalidate() -> None:
    assert NoEdge().invalidate() is None


class AcceptingCloudFront:
    """A CloudFront client that notes the references of its invalidations."""

    def __init__(self) -> None:
        self.references: list[str] = []

    def create_invalidation(self, **request: Any) -> Any:
        self.references.append(request["InvalidationBatch"]["CallerReference"])
        return {"Invalidation": {"Id": "I-1"}}


def test_each_invalidation_has_a_reference_of_its_own() -> None:
    """CloudFront takes a repeated reference for a repeated request, and invalidates nothing."""
    cloudfront: Any = AcceptingCloudFront()
    edge = CloudFrontEdge(cloudfront, "E123")
    edge.invalidate()
    edge.invalidate()
    assert len(set(cloudfront.references)) == 2
