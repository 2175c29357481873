"""What the stack tells its users, and exports to other stacks."""

import pytest

from tests.template.stack import edge_stack, stack

API = "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/Prod"
EDGE = "https://${EdgeDistribution.DomainName}"

VALUES = {
    "ApiRouteChartOfAccounts": f"{API}/accounts",
    "ApiRouteValidTags": f"{API}/tags",
    "ApiRouteFinder": f"{API}/",
    "ApiRouteTrialBalances": f"{API}/balances",
    "OriginUrl": f"{API}/",
    "BalancesExecuteArn": (
        "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}"
        "/Prod/GET/balances"
    ),
    "ReaderFunctionArn": "${ReaderFunction.Arn}",
    "WorkerFunctionArn": "${WorkerFunction.Arn}",
    "AdminFunctionArn": "${AdminFunction.Arn}",
    "RebuildQueueUrl": "${RebuildQueue}",
    "DeadLetterQueueUrl": "${DeadLetterQueue}",
    "CacheBucketName": "${CacheBucket}",
}
WITH_EDGE = VALUES | {
    "ApiRouteChartOfAccounts": f"{EDGE}/accounts",
    "ApiRouteValidTags": f"{EDGE}/tags",
    "ApiRouteFinder": f"{EDGE}/",
    "CloudfrontDomain": "${EdgeDistribution.DomainName}",
}


def values(template):
    return {name: output["Value"] for name, output in template.outputs.items()}


def test_outputs_without_an_edge_point_to_the_api():
    assert values(stack()) == VALUES


def test_outputs_with_an_edge_send_public_routes_there_and_balances_to_the_api():
    assert values(edge_stack()) == WITH_EDGE


@pytest.mark.parametrize("name", WITH_EDGE)
def test_output_is_exported_by_region_stack_and_name(name):
    output = edge_stack().outputs[name]

    assert output["Export"] == {"Name": f"${{AWS::Region}}-${{AWS::StackName}}-{name}"}
    assert output["Description"]
