"""The CDN in front of the public routes."""

from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from core.adapters.cloudfront_edge import CloudFrontEdge, NoEdge
from core.errors import EdgeUnavailableError
from tests.builders import NOW


@pytest.fixture
def cloudfront() -> Any:
    return boto3.client("cloudfront")


def test_edge_invalidates_every_path(cloudfront: Any) -> None:
    batch = {"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": "x"}
    sent = {"DistributionId": "E123", "InvalidationBatch": {**batch, "CallerReference": ANY}}
    told = {"Status": "InProgress", "CreateTime": NOW, "InvalidationBatch": batch}
    reply = {"Invalidation": {"Id": "I-1", **told}}
    with Stubber(cloudfront) as stubber:
        stubber.add_response("create_invalidation", reply, sent)
        assert CloudFrontEdge(cloudfront, "E123").invalidate() == "I-1"


def test_edge_that_refuses_is_an_error_of_ours(cloudfront: Any) -> None:
    with Stubber(cloudfront) as stubber:
        stubber.add_client_error("create_invalidation", "TooManyInvalidationsInProgress")
        with pytest.raises(EdgeUnavailableError, match="TooManyInvalidationsInProgress"):
            CloudFrontEdge(cloudfront, "E123").invalidate()


def test_no_edge_has_nothing_to_invalidate() -> None:
    assert NoEdge().invalidate() is None


def test_each_invalidation_has_a_reference_of_its_own(
    cloudfront: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CloudFront takes a repeated reference for a repeated request, and invalidates nothing."""
    references = set()

    def accept(**request: Any) -> Any:
        references.add(request["InvalidationBatch"]["CallerReference"])
        return {"Invalidation": {"Id": "I-1"}}

    monkeypatch.setattr(cloudfront, "create_invalidation", accept)
    for _ in range(2):
        CloudFrontEdge(cloudfront, "E123").invalidate()
    assert len(references) == 2
