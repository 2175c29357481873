"""The optional CloudFront distribution."""

from dataclasses import fields

from core.model.query import ProgramsQuery
from tests.template.stack import edge_stack, stack


def distribution(template=None):
    return (template or edge_stack()).properties("EdgeDistribution")["DistributionConfig"]


def behavior():
    return distribution()["DefaultCacheBehavior"]


def cloudfront(template):
    kinds = {resource["Type"] for resource in template.resources.values()}
    return {kind for kind in kinds if kind.startswith("AWS::CloudFront::")}


def test_edge_is_absent_unless_asked_for_and_needs_no_function_and_no_policy():
    """The Serverless Application Repository takes neither."""
    assert cloudfront(stack()) == set()
    assert cloudfront(edge_stack()) == {"AWS::CloudFront::Distribution"}
    assert not {"CachePolicyId", "OriginRequestPolicyId", "FunctionAssociations"} & set(behavior())


def test_edge_fetches_from_the_api_over_tls_and_waits_longer_than_a_reader_may_take():
    [origin] = distribution()["Origins"]
    how = origin["CustomOriginConfig"]
    assert origin["DomainName"] == "${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}"
    assert origin["OriginPath"] == "/Prod"
    assert (how["OriginProtocolPolicy"], how["OriginSSLProtocols"]) == ("https-only", ["TLSv1.2"])
    assert how["OriginReadTimeout"] > stack().properties("ReaderFunction")["Timeout"]


def test_edge_keys_on_what_changes_a_public_body_and_forwards_nothing_else():
    """No Host, which API Gateway refuses; no Authorization, so that it refuses /balances."""
    parameters = {declared.name for declared in fields(ProgramsQuery)}
    forwarded = behavior()["ForwardedValues"]
    assert set(forwarded["QueryStringCacheKeys"]) == {*parameters, "q"}
    assert set(forwarded) == {"QueryString", "QueryStringCacheKeys", "Cookies"}
    assert (forwarded["QueryString"], forwarded["Cookies"]) == (True, {"Forward": "none"})


def test_edge_leaves_freshness_to_the_origins_headers_for_up_to_a_year():
    ttls = [behavior()[name] for name in ("MinTTL", "DefaultTTL", "MaxTTL")]
    assert ttls == [0, 0, 31_536_000]


def test_edge_only_reads_over_https_and_compresses():
    assert set(behavior()["AllowedMethods"]) <= {"GET", "HEAD", "OPTIONS"}
    assert behavior()["CachedMethods"] == ["GET", "HEAD"]
    assert behavior()["ViewerProtocolPolicy"] == "redirect-to-https"
    assert behavior()["Compress"] is True


def test_edge_neither_caches_nor_changes_an_error():
    """Every code that CloudFront would otherwise keep for ten seconds."""
    codes = [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504]
    assert distribution()["CustomErrorResponses"] == [
        {"ErrorCode": code, "ErrorCachingMinTTL": 0} for code in codes
    ]


def test_edge_has_the_names_and_their_certificate_or_cloudfronts_own():
    certificate, plain = distribution()["ViewerCertificate"], distribution(stack(EdgeCache="true"))
    assert distribution()["Aliases"] == ["mips.example.org", "books.example.org"]
    assert certificate["AcmCertificateArn"].endswith(":certificate/0a1b")
    assert certificate["MinimumProtocolVersion"] == "TLSv1.2_2021"
    assert certificate["SslSupportMethod"] == "sni-only"
    assert "Aliases" not in plain
    assert plain["ViewerCertificate"] == {"CloudFrontDefaultCertificate": True}
