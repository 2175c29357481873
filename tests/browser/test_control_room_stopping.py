"""The control room in a browser, when its stack ends."""

from urllib.parse import urlsplit

from playwright.sync_api import Page, expect

from tests.local.toy_stack import toy_stack


def test_the_end_of_the_stack_is_said_and_the_past_is_grey(page: Page) -> None:
    refresh = page.get_by_role("button", name="Refresh all")
    with toy_stack() as stack:
        page.goto(f"{stack.api_url}/_local/")
        expect(page.locator("#connection")).to_have_text("live")
        expect(refresh).to_be_enabled()
        stack.control_room.request_stop()
        expect(page.locator("#connection")).to_have_text("the stack has stopped")
        expect(refresh).to_be_disabled()
    expect(page.locator("#connection")).to_have_text("no connection; trying again")
    expect(page.locator("#past")).to_contain_text("This is how it was at")
    expect(page.locator("main")).to_have_css("filter", "grayscale(1)")
    # The log can still be read, and taken away.
    expect(page.get_by_role("button", name="Download")).to_be_enabled()


def test_an_action_that_comes_too_late_is_told(page: Page) -> None:
    with toy_stack() as stack:
        page.goto(f"{stack.api_url}/_local/")
        expect(page.locator("#connection")).to_have_text("live")
        # It does not ask while it is hidden, so it does not know yet.
        page.evaluate("Object.defineProperty(document, 'hidden', { value: true })")
        stack.control_room.request_stop()
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
