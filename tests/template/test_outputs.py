"""What the stack tells its users, and exports to other stacks."""

import pytest

from tests.template.stack import edge_stack, stack

API = "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/Prod"
ARN = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}"
EDGE = "https://${EdgeDistribution.DomainName}"


@pytest.mark.parametrize(("template", "front"), [(stack(), API), (edge_stack(), EDGE)])
def test_public_routes_are_behind_the_edge_where_there_is_one_and_balances_at_the_api(
    template, front
):
    assert {name: output["Value"] for name, output in template.outputs.items()}.items() >= {
        ("ApiRouteChartOfAccounts", f"{front}/accounts"),
        ("ApiRouteValidTags", f"{front}/tags"),
        ("ApiRouteFinder", f"{front}/"),
        ("ApiRouteTrialBalances", f"{API}/balances"),
        ("OriginUrl", f"{API}/"),
        ("BalancesExecuteArn", f"{ARN}/Prod/GET/balances"),
    }


def test_outputs_are_exported_by_region_stack_and_name():
    exported = {name: output["Export"]["Name"] for name, output in edge_stack().outputs.items()}
    assert exported == {name: f"${{AWS::Region}}-${{AWS::StackName}}-{name}" for name in exported}
    assert set(exported) - set(stack().outputs) == {"CloudfrontDomain"}
