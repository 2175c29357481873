"""The control room in a browser: the cache at work is seen, and disturbed, as a person would."""

import json
import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from core.model.datasets import KINDS
from local.mip import Fault, MipCloud
from local.stack import LocalStack
from tests.browser.conftest import PATIENCE_MS, Axe, OpenPage
from tests.flows.conftest import PROGRAMS_KEY, Flows

NARROW = {"width": 390, "height": 844}
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
    flows.renew_readers()
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


def lit(page: Page, line: str) -> Any:
    """Wait for a line of the picture to be lit; how many things move at that moment.

    It is lit for a second or two: only the page itself, which looks at each frame, cannot miss it.
    """
    moving = page.evaluate(
        """async ([id, patience]) => {
          const line = document.getElementById(id);
          const began = performance.now();
          while (!line.dataset.lit && performance.now() - began < patience) {
            await new Promise(requestAnimationFrame);
          }
          return line.dataset.lit ? document.getAnimations().length : null;
        }""",
        [f"line-{line}", PATIENCE_MS],
    )
    assert moving is not None, f"{line} was not lit"
    return moving


def state_of(page: Page, dataset: str) -> Locator:
    return entry(page, dataset).locator(".state")


def test_a_cold_read_is_seen_on_its_way_through_the_picture(room: Page) -> None:
    expect(part(room, "cache")).to_contain_text("empty")
    press(room, "GET /tags")
    for line in ("reader-queue", "queue-worker", "worker-mip", "worker-cache", "client-api"):
        lit(room, line)
    answer = room.locator("#answer")
    expect(answer).to_contain_text("200")
    expect(answer).to_contain_text("fwd=uri-miss; stored")
    expect(part(room, "client")).to_contain_text("200, miss")
    expect(part(room, "cache")).to_contain_text("1 fresh")
    expect(state_of(room, "programs")).to_have_text("fresh")
    expect(entry(room, "programs").get_by_role("meter")).to_have_attribute("aria-valuenow", "100")
    for told in ("stored programs", "answered login"):
        expect(log_line(room, told)).to_be_visible()
    press(room, "GET /tags")
    expect(part(room, "client")).to_contain_text("200, hit")


def test_freshness_runs_down_before_ones_eyes(room: Page, flows: Flows) -> None:
    press(room, "GET /tags")
    left = entry(room, "programs").locator(".time")
    expect(left).to_have_text("23 h 59 min left")
    stored = flows.stored()
    stored["fresh_until"] = (datetime.now(UTC) + timedelta(minutes=10)).isoformat()
    flows.s3.put_object(Bucket=flows.bucket, Key=PROGRAMS_KEY, Body=json.dumps(stored).encode())
    expect(left).to_have_text(re.compile(r"9:\d\d left"))
    before = left.text_content() or ""
    expect(left).not_to_have_text(before)


def test_an_outage_is_played_through(room: Page) -> None:
    press(room, "GET /tags")
    expect(state_of(room, "programs")).to_have_text("fresh")
    down = room.get_by_role("button", name="Down", exact=True)
    down.click()
    expect(down).to_have_attribute("aria-pressed", "true")
    expect(part(room, "mip")).to_contain_text("down")
    room.get_by_role("button", name="Expire programs").click()
    expect(state_of(room, "programs")).to_have_text("stale")
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [None, NARROW], ids=["wide", "narrow"])
def test_axe_finds_nothing_serious_in_either_colour_scheme(
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
    expect(state_of(room, "programs")).to_have_text("stale")
    expect(room.get_by_role("button", name="Expire programs")).to_be_focused()


@pytest.mark.parametrize(("wished", "moves"), [("reduce", False), ("no-preference", True)])
def test_nothing_moves_where_that_is_not_wished(
    open_page: OpenPage, url: str, wished: str, *, moves: bool
) -> None:
    page = open_page(reduced_motion=wished)
    page.goto(url)
    press(page, "GET /tags")
    assert (lit(page, "reader-queue") > 0) == moves


def test_a_page_at_rest_has_nothing_to_lay_out(room: Page) -> None:
    press(room, "GET /tags")
    expect(state_of(room, "programs")).to_have_text("fresh")
    expect(part(room, "worker")).to_contain_text("idle")
    room.evaluate("document.getElementById('outcome').hidden = true")
    expect(room.locator("[data-lit]")).to_have_count(0)
    changes = room.evaluate(
        """async () => {
          const changed = [];
          const seen = new MutationObserver((records) => changed.push(...records));
          const all = { subtree: true, childList: true, characterData: true, attributes: true };
          seen.observe(document.documentElement, all);
          const asked = () => performance.getEntriesByType("resource").length;
          performance.clearResourceTimings();
          while (asked() < 4) await new Promise((go) => setTimeout(go, 50));
          // A minute of an entry's day may have passed.
          const place = ({ target }) => target.parentElement?.closest(".entry") ?? target;
          return changed.map(place).filter((at) => !at.matches?.(".entry")).map(String);
        }"""
    )
    assert changes == []


def test_faults_that_exclude_each_other_do_and_the_headline_says_what_is_set(
    room: Page, flows: Flows
) -> None:
    headline = room.locator("#mip-state")
    expect(headline).to_contain_text("It is well.")
    press(room, "Down")
    expect(headline).to_contain_text("It takes no connection.")
    press(room, "Shrunk list")
    expect(room.locator("#outcome")).to_contain_text("It takes the place of: Down.")
    expect(room.get_by_role("button", name="Down", exact=True)).to_have_attribute(
        "aria-pressed", "false"
    )
    expect(headline).not_to_contain_text("no connection")
    press(room, "Heal")
    expect(headline).to_contain_text("It is well.")
    flows.mip.set_fault("login", Fault("status", status=418))
    expect(headline).to_contain_text("login has the fault status.")
    expect(headline).not_to_contain_text("well")
    expect(part(room, "mip")).to_have_attribute("data-mood", "bad")


def test_a_message_that_is_held_back_counts_down_and_is_released(room: Page, flows: Flows) -> None:
    flows.mip.set_fault("segments", Fault("status", status=418))
    flows.admin(action="refresh", dataset="programs")
    message = room.locator("#queue > li")
    expect(message).to_contain_text("attempt 1 of 5 failed")
    expect(message).to_contain_text(re.compile(r"retries in 0:\d\d"))
    expect(part(room, "queue")).to_contain_text("retries in 0:")
    flows.mip.clear_faults()
    press(room, "Release now")
    expect(message).to_have_count(0)
    expect(state_of(room, "programs")).to_have_text("fresh")


def test_a_shrunk_list_is_accepted_where_its_error_is(room: Page) -> None:
    press(room, "GET /tags")
    expect(state_of(room, "programs")).to_have_text("fresh")
    press(room, "Shrunk list")
    room.get_by_role("button", name="Refresh programs", exact=True).click()
    expect(entry(room, "programs")).to_contain_text("accept_shrink")
    room.get_by_role("button", name="Accept the shrunk list of programs").click()
    expect(entry(room, "programs").locator(".error")).to_be_empty()
    expect(room.locator("#queue > li")).to_have_count(0)


def test_the_dataset_of_an_operation_can_be_chosen(room: Page) -> None:
    chosen = room.get_by_label("Dataset")
    assert chosen.locator("option").all_text_contents() == ["all", *KINDS]
    chosen.select_option("programs")
    room.get_by_role("region", name="Operate").get_by_role("button", name="Refresh").click()
    expect(state_of(room, "programs")).to_have_text("fresh")
    expect(entry(room, "balances")).to_have_count(0)
    room.get_by_role("button", name="Soft purge programs").click()
    expect(room.locator("#outcome")).to_contain_text("Marked stale")
    expect(log_line(room, "soft purge programs: 1 entry marked stale")).to_be_visible()


def test_a_rebuild_is_told_as_a_timeline_that_opens_its_lines(room: Page) -> None:
    press(room, "GET /tags")
    expect(state_of(room, "programs")).to_have_text("fresh")
    expect(part(room, "worker")).to_contain_text("idle")
    rebuild = room.locator("#rebuilds > li").first
    expect(rebuild.locator(".badge")).to_have_text("stored 1 entry")
    steps = rebuild.get_by_role("listitem").all_text_contents()
    names = ["waited", "login", "segments", "accounts", "store", "logout"]
    assert [step.split()[0] for step in steps] == names
    expect(rebuild.locator(".lines li")).to_have_count(0)
    rebuild.locator("summary").click()
    lines = rebuild.locator(".lines li")
    expect(lines.first).to_contain_text("takes a batch of messages")
    expect(lines.filter(has_text="answered accounts")).to_be_visible()
    expect(lines.filter(has_text="GET /tags")).to_have_count(0)


def test_the_log_is_filtered_paused_and_downloaded(room: Page, flows: Flows) -> None:
    press(room, "GET /tags")
    expect(log_line(room, "GET /tags")).to_contain_text(re.compile(r"\d\d:\d\d:\d\d\.\d{3}"))
    expect(log_line(room, "logged out")).to_be_visible()
    room.get_by_label("From").select_option("api")
    expect(log_line(room, "logged out")).to_have_count(0)
    room.get_by_label("Holding").fill("get /ELSEWHERE")
    expect(log_line(room, "GET /tags")).to_have_count(0)
    press(room, "Pause")
    for path in ("/accounts", "/elsewhere"):
        flows.get(path)
    expect(room.locator("#log-held")).to_have_text("1 line held")
    expect(log_line(room, "GET /elsewhere")).to_have_count(0)
    with room.expect_download() as downloading:
        press(room, "Download")
    lines = downloading.value.path().read_text("utf-8").splitlines()
    wanted = re.compile(r"[-0-9T:.+]+ api warning GET /elsewhere → 404 .*")
    assert [bool(wanted.fullmatch(line)) for line in lines] == [True]
    press(room, "Pause")
    expect(log_line(room, "GET /elsewhere")).to_be_visible()
    expect(log_line(room, "GET /accounts")).to_have_count(0)


def test_a_source_that_has_much_to_say_pushes_no_other_out(room: Page, flows: Flows) -> None:
    press(room, "GET /tags")
    expect(log_line(room, "stored programs")).to_be_attached()
    for _ in range(250):
        flows.mip.call("logout")
    expect(room.get_by_role("log").locator(".source", has_text="mip")).to_have_count(200)
    expect(log_line(room, "stored programs")).to_be_attached()


def test_a_route_is_read_with_parameters_and_headers_and_copied_as_curl(
    open_page: OpenPage, url: str
) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    page.goto(url)
    page.get_by_label("Parameters").fill("limit=1")
    press(page, "GET /tags")
    answer = page.locator("#answer")
    expect(answer).to_contain_text("GET /tags?limit=1")
    press(page, "Ask again with its ETag")
    expect(answer).to_contain_text("304")
    press(page, "Copy as curl")
    expect(page.locator("#outcome")).to_have_text("Copied.")
    command = shlex.split(page.evaluate("navigator.clipboard.readText()"))
    assert command[:2] == ["curl", "-i"]
    assert command[3].startswith('If-None-Match: "')
    assert command[4].endswith("/tags?limit=1")
    page.get_by_label("Headers").fill("no header")
    press(page, "GET /tags")
    expect(page.locator("#outcome")).to_contain_text("headers must be lines such as")


def test_a_refused_copy_is_told(open_page: OpenPage, url: str) -> None:
    page = open_page()
    page.add_init_script("navigator.clipboard.writeText = () => Promise.reject(new Error())")
    page.goto(url)
    press(page, "GET /tags")
    press(page, "Copy as curl")
    expect(page.locator("#outcome")).to_contain_text("does not let this page copy")


@pytest.mark.parametrize("width", [768, 1080])
def test_a_narrower_window_needs_no_scrolling_aside(
    open_page: OpenPage, url: str, width: int
) -> None:
    page = open_page(viewport={"width": width, "height": 900})
    page.goto(url)
    press(page, "GET /balances (signed)")
    expect(page.locator("#entries > li")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    outside = page.evaluate(
        """[...document.querySelectorAll(".card *")].filter((each) =>
          !each.closest(".unseen, svg") && each.getBoundingClientRect().right >
          each.closest(".card").getBoundingClientRect().right).map((each) => each.outerHTML)"""
    )
    assert outside == []
    smallest = page.evaluate(
        """Math.min(...[...document.querySelectorAll("#picture .label, #picture .says")].map(
          (each) => parseFloat(getComputedStyle(each).fontSize) * each.getScreenCTM().a))"""
    )
    assert smallest > 9
