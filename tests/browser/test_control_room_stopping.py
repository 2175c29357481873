"""The control room in a browser, when its stack ends."""

from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from tests.local.toy_stack import toy_stack


def test_the_end_of_the_stack_is_said_and_so_is_an_action_that_comes_too_late(page: Page) -> None:
    with toy_stack() as stack:
        page.goto(f"{stack.api_url}/_local/")
        expect(page.locator("#connection")).to_have_text("live")
        stack.control_room.request_stop()
        expect(page.locator("#connection")).to_have_text("the stack has stopped")
        page.get_by_role("button", name="Refresh all").click()
        expect(page.locator("#outcome")).to_have_text("the stack is being stopped")
    page.get_by_role("button", name="Refresh all").click()
    expect(page.locator("#outcome")).to_contain_text("is it still running?")


def test_the_page_finds_a_stack_that_was_started_anew(page: Page) -> None:
    with toy_stack() as stack:
        page.goto(f"{stack.api_url}/_local/")
        expect(page.locator("#connection")).to_have_text("live")
        port = urlsplit(stack.api_url).port
    expect(page.locator("#connection")).not_to_have_text("live")
    with toy_stack(gateway_port=port):
        expect(page.locator("#connection")).to_have_text("live")
