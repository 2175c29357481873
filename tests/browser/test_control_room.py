"""The control room in a browser: the cache at work is seen, and disturbed, as a person would."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from local.mip import MipCloud
from local.stack import LocalStack
from tests.browser.conftest import Axe, OpenPage
from tests.flows.conftest import Flows

NARROW = {"width": 390, "height": 844}
SCHEMES = ("light", "dark")
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def flows() -> Iterator[Flows]:
    mip = MipCloud()
    parameters = {"MissWaitSeconds": "5"}  # what a read of the outage waits in vain
    with LocalStack(
        gateway_port=0, aws_port=0, mip_port=0, mip=mip, parameters=parameters
    ) as stack:
        yield Flows(stack, mip)


@pytest.fixture
def url(flows: Flows, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where the page is, of a stack at rest with an empty cache."""
    monkeypatch.setenv("MOTO_SQS_ENFORCE_STRICT_QUEUE_PURGE_BEHAVIOUR", "false")
    flows.reset()
    return f"{flows.stack.api_url}/_local/"


@pytest.fixture
def room(page: Page, url: str) -> Page:
    page.goto(url)
    expect(page.locator("#connection")).to_have_text("live")
    return page


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def part(page: Page, name: str) -> Locator:
    return page.locator(f"#part-{name}")


def log_line(page: Page, text: str) -> Locator:
    """The newest line with this text."""
    return page.get_by_role("log").get_by_role("listitem").filter(has_text=text).first


def entry(page: Page, dataset: str) -> Locator:
    return page.locator("#entries > li").filter(has_text=dataset)


def test_a_cold_read_is_seen_on_its_way_through_the_picture(room: Page) -> None:
    expect(part(room, "cache")).to_contain_text("empty")
    press(room, "GET /tags")
    for line in ("reader-queue", "queue-worker", "worker-mip", "worker-cache", "client-api"):
        expect(room.locator(f"#line-{line}")).to_have_attribute("data-lit", re.compile("."))
    answer = room.locator("#answer")
    expect(answer).to_contain_text("200")
    expect(answer).to_contain_text("fwd=uri-miss; stored")
    expect(part(room, "client")).to_contain_text("200, miss")
    expect(part(room, "cache")).to_contain_text("1 fresh")
    expect(entry(room, "programs").locator(".state")).to_have_text("fresh")
    expect(entry(room, "programs").get_by_role("meter")).to_have_attribute("aria-valuenow", "100")
    for told in ("stored programs", "answered login"):
        expect(log_line(room, told)).to_be_visible()
    press(room, "GET /tags")
    expect(part(room, "client")).to_contain_text("200, hit")


def test_freshness_runs_down_before_ones_eyes(room: Page) -> None:
    press(room, "GET /tags")
    left = entry(room, "programs").locator(".time")
    expect(left).to_have_text(re.compile(r"23:59:\d\d left"))
    before = left.text_content() or ""
    expect(left).not_to_have_text(before)


def test_an_outage_is_played_through(room: Page) -> None:
    press(room, "GET /tags")
    expect(entry(room, "programs").locator(".state")).to_have_text("fresh")
    down = room.get_by_role("button", name="Down", exact=True)
    down.click()
    expect(down).to_have_attribute("aria-pressed", "true")
    expect(part(room, "mip")).to_contain_text("down")
    room.get_by_role("button", name="Expire programs").click()
    expect(entry(room, "programs").locator(".state")).to_have_text("stale")
    press(room, "GET /tags")
    expect(part(room, "client")).to_contain_text("200, stale")
    expect(log_line(room, "cut the connection at login")).to_be_visible()
    expect(entry(room, "programs").locator(".error")).to_contain_text("Last rebuild failed")
    press(room, "GET /balances (signed)")
    expect(part(room, "client")).to_contain_text("503, miss")
    press(room, "Heal")
    expect(part(room, "mip")).not_to_contain_text("down")
    expect(down).to_have_attribute("aria-pressed", "false")


def test_a_poison_message_is_dead_lettered_with_its_reason_and_discarded(room: Page) -> None:
    press(room, "Send a poison message")
    letter = room.locator("#letters > li")
    expect(letter).to_contain_text("InvalidMessageError")
    expect(letter).to_contain_text("dataset must be one of programs, balances, all")
    expect(part(room, "dead_letters")).to_contain_text("1 letter")
    expect(log_line(room, "gave a message up")).to_be_visible()
    before = letter.get_attribute("data-key") or ""
    press(room, "Redrive all")
    expect(letter).not_to_have_attribute("data-key", before)
    room.get_by_role("button", name="Discard the letter of").click()
    expect(letter).to_have_count(0)
    expect(part(room, "dead_letters")).to_contain_text("none")


def test_a_tab_that_nobody_looks_at_does_not_watch_and_catches_up_later(
    room: Page, flows: Flows
) -> None:
    hide(room, hidden=True)
    assert flows.get("/nowhere").status_code == 404
    # Were it watching still, this would have been told together with the answer's line.
    press(room, "GET /tags")
    expect(room.locator("#answer")).to_contain_text("200")
    expect(log_line(room, "GET /nowhere")).to_have_count(0)
    hide(room, hidden=False)
    expect(log_line(room, "GET /nowhere")).to_be_visible()


def hide(page: Page, *, hidden: bool) -> None:
    page.evaluate(
        """hidden => {
          Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


def test_a_hostile_message_stays_text(room: Page, flows: Flows) -> None:
    flows.send(HOSTILE)
    expect(room.locator("#letters > li code")).to_have_text(HOSTILE)
    assert room.locator("main img").count() == 0


def test_two_browsers_see_the_same(room: Page, open_page: OpenPage, url: str) -> None:
    other = open_page()
    other.goto(url)
    expect(other.locator("#connection")).to_have_text("live")
    press(room, "GET /tags")
    for page in (room, other):
        expect(entry(page, "programs")).to_have_count(1)
        expect(log_line(page, "GET /tags → 200")).to_be_visible()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("viewport", [None, NARROW], ids=["wide", "narrow"])
def test_axe_finds_nothing_serious(
    open_page: OpenPage, url: str, axe: Axe, scheme: str, viewport: dict[str, int] | None
) -> None:
    page = open_page(color_scheme=scheme, **({"viewport": viewport} if viewport else {}))
    page.goto(url)
    press(page, "GET /tags")
    expect(page.locator("#entries > li")).to_have_count(1)
    press(page, "Send a poison message")
    expect(page.locator("#letters > li")).to_have_count(1)
    press(page, "Slow")
    expect(part(page, "mip")).to_contain_text("slow")
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_each_colour_scheme_has_its_ground(open_page: OpenPage, url: str, scheme: str) -> None:
    page = open_page(color_scheme=scheme)
    page.goto(url)
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    channels = [int(channel) for channel in re.findall(r"\d+", ground)]
    assert (max(channels) < 64) == (scheme == "dark")


def test_everything_is_done_with_the_keyboard(room: Page) -> None:
    button = room.get_by_role("button", name="GET /tags", exact=True)
    button.focus()
    room.keyboard.press("Enter")
    expect(room.locator("#answer")).to_contain_text("200")
    # What changes around it leaves the focus where it is.
    expect(button).to_be_focused()
    room.get_by_role("button", name="Expire programs").focus()
    room.keyboard.press("Space")
    expect(entry(room, "programs").locator(".state")).to_have_text("stale")
    expect(room.get_by_role("button", name="Expire programs")).to_be_focused()


def test_nothing_moves_where_that_is_not_wished(open_page: OpenPage, url: str) -> None:
    page = open_page(reduced_motion="reduce")
    page.goto(url)
    press(page, "GET /tags")
    expect(page.locator("#line-reader-queue")).to_have_attribute("data-lit", re.compile("."))
    moving = page.evaluate("document.getAnimations().length")
    assert moving == 0
