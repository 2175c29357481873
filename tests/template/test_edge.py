"""The optional CloudFront distribution."""

from dataclasses import fields

from core.model.query import ProgramsQuery
from tests.template.stack import edge_stack, stack

API_HOST = "${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}"


def distribution(template=None):
    return (template or edge_stack()).properties("EdgeDistribution")["DistributionConfig"]


def test_edge_is_absent_unless_asked_for():
    kinds = {resource["Type"] for resource in stack().resources.values()}

    assert not [kind for kind in kinds if kind.startswith("AWS::CloudFront::")]


def test_edge_fetches_from_the_api_over_tls():
    [origin] = distribution()["Origins"]

    assert origin["DomainName"] == API_HOST
    assert origin["OriginPath"] == "/Prod"
    assert origin["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"
    assert origin["CustomOriginConfig"]["OriginSSLProtocols"] == ["TLSv1.2"]


def test_edge_waits_longer_for_the_origin_than_a_reader_may_take():
    [origin] = distribution()["Origins"]

    timeout = stack().properties("ReaderFunction")["Timeout"]
    assert origin["CustomOriginConfig"]["OriginReadTimeout"] > timeout


def test_edge_keys_on_what_changes_a_public_body_and_forwards_nothing_else():
    """No Host, which API Gateway refuses; no Authorization, so that it refuses /balances."""
    parameters = {declared.name for declared in fields(ProgramsQuery)}

    forwarded = distribution()["DefaultCacheBehavior"]["ForwardedValues"]
    assert set(forwarded.pop("QueryStringCacheKeys")) == {*parameters, "q"}
    assert forwarded == {"QueryString": True, "Cookies": {"Forward": "none"}}


def test_edge_leaves_freshness_to_the_origins_headers_for_up_to_a_year():
    behavior = distribution()["DefaultCacheBehavior"]

    assert (behavior["MinTTL"], behavior["DefaultTTL"], behavior["MaxTTL"]) == (0, 0, 31_536_000)


def test_edge_needs_no_function_and_no_policy():
    """The Serverless Application Repository takes neither."""
    kinds = {resource["Type"] for resource in edge_stack().resources.values()}

    assert {kind for kind in kinds if "CloudFront" in kind} == {"AWS::CloudFront::Distribution"}
    assert not {"CachePolicyId", "OriginRequestPolicyId", "FunctionAssociations"} & set(
        distribution()["DefaultCacheBehavior"]
    )


def test_edge_only_reads_over_https_and_compresses():
    behavior = distribution()["DefaultCacheBehavior"]

    assert set(behavior["AllowedMethods"]) <= {"GET", "HEAD", "OPTIONS"}
    assert behavior["CachedMethods"] == ["GET", "HEAD"]
    assert behavior["ViewerProtocolPolicy"] == "redirect-to-https"
    assert behavior["Compress"] is True


def test_edge_neither_caches_nor_changes_an_error():
    """Every code that CloudFront would otherwise keep for ten seconds."""
    codes = [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504]

    assert distribution()["CustomErrorResponses"] == [
        {"ErrorCode": code, "ErrorCachingMinTTL": 0} for code in codes
    ]


def test_edge_with_a_certificate_uses_it_for_the_names():
    assert distribution()["Aliases"] == ["mips.example.org", "books.example.org"]
    assert distribution()["ViewerCertificate"] == {
        "AcmCertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/0a1b",
        "MinimumProtocolVersion": "TLSv1.2_2021",
        "SslSupportMethod": "sni-only",
    }


def test_edge_without_a_certificate_uses_cloudfronts_own():
    plain = distribution(stack(EdgeCache="true"))

    assert "Aliases" not in plain
    assert plain["ViewerCertificate"] == {"CloudFrontDefaultCertificate": True}
