"""The optional CloudFront distribution."""

from tests.template.stack import edge_stack, stack

MANAGED_POLICY = "4cc15a8a-d715-48a4-82b8-cc0b614638fe"  # origin's Cache-Control, all query strings
FORWARDING_POLICY = "b689b0a8-53d0-40ab-baf2-68738e2966ac"  # every header but Host
API_HOST = "${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}"


def distribution(template=None):
    return (template or edge_stack()).properties("EdgeDistribution")["DistributionConfig"]


def function_code():
    return edge_stack().properties("EdgeFunction")["FunctionCode"]


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


def test_edge_obeys_the_origins_headers_and_keys_on_the_query():
    assert distribution()["DefaultCacheBehavior"]["CachePolicyId"] == MANAGED_POLICY


def test_edge_forwards_what_the_reader_goes_by_without_keying_on_it():
    """Accept and Prefer reach the origin; an answer that may be cached depends on neither."""
    assert distribution()["DefaultCacheBehavior"]["OriginRequestPolicyId"] == FORWARDING_POLICY


def test_edge_only_reads():
    behavior = distribution()["DefaultCacheBehavior"]

    assert set(behavior["AllowedMethods"]) <= {"GET", "HEAD", "OPTIONS"}
    assert behavior["CachedMethods"] == ["GET", "HEAD"]


def test_edge_redirects_to_https_and_compresses():
    behavior = distribution()["DefaultCacheBehavior"]

    assert behavior["ViewerProtocolPolicy"] == "redirect-to-https"
    assert behavior["Compress"] is True


def test_edge_speaks_http_2_and_3():
    assert distribution()["HttpVersion"] == "http2and3"


def test_edge_caches_no_error():
    """Every code that CloudFront would otherwise keep for ten seconds."""
    kept = {
        entry["ErrorCode"]: entry["ErrorCachingMinTTL"]
        for entry in distribution()["CustomErrorResponses"]
    }

    assert kept == dict.fromkeys([400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504], 0)


def test_edge_changes_no_error():
    assert all(
        set(entry) == {"ErrorCode", "ErrorCachingMinTTL"}
        for entry in distribution()["CustomErrorResponses"]
    )


def test_edge_asks_its_function_about_every_request():
    assert "CacheBehaviors" not in distribution()
    assert distribution()["DefaultCacheBehavior"]["FunctionAssociations"] == [
        {
            "EventType": "viewer-request",
            "FunctionARN": "${EdgeFunction.FunctionMetadata.FunctionARN}",
        }
    ]


def test_edge_function_refuses_balances_and_points_to_the_api():
    assert "startsWith('/balances')" in function_code()
    assert "statusCode: 403" in function_code()
    assert f"'{API_HOST}'" in function_code()
    assert "/Prod/balances" in function_code()


def test_edge_function_gives_the_api_its_own_host():
    """The cache policy forwards the viewer's Host, which API Gateway would refuse."""
    assert "updateRequestOrigin({ hostHeader: API_HOST" in function_code()


def test_edge_function_is_published_on_the_current_runtime():
    properties = edge_stack().properties("EdgeFunction")

    assert properties["AutoPublish"] is True
    assert properties["FunctionConfig"]["Runtime"] == "cloudfront-js-2.0"


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
