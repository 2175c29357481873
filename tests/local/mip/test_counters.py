from local.mip import Fault, MipCloud
from tests.local.mip.client import Client


def test_an_answer_is_told_with_its_status_and_the_fault_in_it(
    client: Client, mip: MipCloud
) -> None:
    seen: list[tuple[str, int, str | None]] = []
    mip.on_answer = lambda *told: seen.append(told)
    client.login()
    mip.set_fault("segments", Fault(kind="status", status=502))
    client.send("segments")
    client.send("logout")
    assert seen == [("login", 200, None), ("segments", 502, "status"), ("logout", 200, None)]


def test_the_hook_sees_a_call_before_it_has_any_effect(client: Client, mip: MipCloud) -> None:
    seen: list[tuple[str, int]] = []
    mip.on_call = lambda call: seen.append((call, mip.open_sessions))
    client.login()
    client.send("logout")
    assert seen == [("login", 0), ("logout", 1)]
