"""Pages in Debian's Chromium. `make test-browser` installs what these tests need, and runs them."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

PATIENCE_MS = 20_000
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# The browser tells in these words of an error status or a lost connection, which a test may want.
FAILED_REQUEST = "Failed to load resource: "
ALARMING = ("serious", "critical")

OpenPage = Callable[..., "Page"]
Axe = Callable[["Page"], list[str]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is in this folder, so that it runs only where a browser is asked for."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser() -> Iterator["Browser"]:
    """One Chromium for all tests; each page is in a context of its own."""
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: "Browser") -> Iterator[OpenPage]:
    """Return a function that opens an empty page; its arguments are those of a browser context.

    Afterwards no page may have met an error of its script or a refusal by its policy, shown a
    dialog, or asked anything of another host.
    """
    contexts, watch = [], Watch()

    def open_page(**options: Any) -> "Page":
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        watch.over(page)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert watch.incidents == []


@pytest.fixture
def page(open_page: OpenPage) -> "Page":
    """An empty page of the usual kind."""
    return open_page()


@pytest.fixture(scope="session")
def axe() -> Axe:
    """Return a function that lists what axe-core finds serious or critical in a page."""
    path = os.environ.get("AXE", "")
    if not Path(path).is_file():
        pytest.fail("axe-core is not installed; run these tests with: make test-browser")
    script = Path(path).read_text(encoding="utf-8")

    def findings(page: "Page") -> list[str]:
        # Run by the debugger, to which the page's policy does not apply.
        page.evaluate(script)
        violations = page.evaluate("axe.run().then((results) => results.violations)")
        return [
            f"{violation['id']}: {node['html']}"
            for violation in violations
            if violation["impact"] in ALARMING
            for node in violation["nodes"]
        ]

    return findings


class Watch:
    """What happened in pages that should not have happened."""

    def __init__(self) -> None:
        self.incidents: list[str] = []

    def over(self, page: "Page") -> None:
        page.on("pageerror", lambda error: self.incidents.append(f"error: {error}"))
        page.on("console", self._hear)
        page.on("request", lambda request: self._look_at(request.url))
        page.on("dialog", self._dismiss)

    def _hear(self, message: "ConsoleMessage") -> None:
        if message.type == "error" and not message.text.startswith(FAILED_REQUEST):
            self.incidents.append(f"console: {message.text}")

    def _look_at(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"data", "blob"} and parts.hostname != "127.0.0.1":
            self.incidents.append(f"request to another host: {url}")

    def _dismiss(self, dialog: Any) -> None:
        self.incidents.append(f"dialog: {dialog.message}")
        dialog.dismiss()


def _chromium() -> str:
    found = shutil.which(os.environ.get("CHROMIUM", "chromium"))
    if found is None:
        pytest.fail("Chromium is not installed; run these tests with: make test-browser")
    return found
