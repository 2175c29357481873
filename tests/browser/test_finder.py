"""The program finder in a browser, served by the local stack."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from core.model.entry import ProgramLists, encode
from local.mip import MipCloud
from local.stack import LocalStack
from tests.browser.conftest import Axe, OpenPage
from tests.builders import make_entry
from tests.flows.conftest import PROGRAMS_KEY, Flows, eventually

NAMES = {
    "101300": "CSBC - NCI",
    "112501": "Réseau d'Étude (Núcleo)",
    "121700": "HTAN Supp DFCI",
    "312000": "Straße & Søn",
}
INACTIVE = {"30144": "Legacy Genomics Core"}
CLIPBOARD = {"permissions": ["clipboard-read", "clipboard-write"]}
NO_CLIPBOARD = "Object.defineProperty(navigator, 'clipboard', { value: undefined })"
RETRY_MS = 10_000


@pytest.fixture(scope="module")
def flows() -> Iterator[Flows]:
    """A running stack whose reader does not wait on a miss."""
    mip = MipCloud()
    with LocalStack(
        gateway_port=0, aws_port=0, mip_port=0, mip=mip, parameters={"MissWaitSeconds": "0"}
    ) as stack:
        yield Flows(stack, mip)


@pytest.fixture
def store(flows: Flows) -> Callable[..., None]:
    """Return a function that puts a list into the cache, once nothing is being rebuilt."""

    def store(
        names: Mapping[str, str] = NAMES,
        inactive: Mapping[str, str] = INACTIVE,
        age: timedelta = timedelta(0),
    ) -> None:
        entry = make_entry(
            built_at=datetime.now(UTC) - age, data=ProgramLists(names, {**names, **inactive})
        )
        eventually(flows.is_idle)
        flows.s3.put_object(Bucket=flows.bucket, Key=PROGRAMS_KEY, Body=encode(entry))

    return store


@pytest.fixture
def url(flows: Flows, store: Callable[..., None]) -> str:
    """Where the page is, with the usual list in the cache."""
    store()
    return f"{flows.stack.api_url}/"


@pytest.fixture
def missing(flows: Flows) -> Callable[[Any], None]:
    """Return a handler that goes on answering as the reader does while there is no entry."""
    flows.admin(action="purge", dataset="programs")
    answer = flows.get("/", {"Accept": "text/html"})
    assert answer.status_code == 503
    eventually(flows.is_idle)
    return lambda route: route.fulfill(
        status=answer.status_code, headers=dict(answer.headers), body=answer.text
    )


def rows(page: Page) -> Locator:
    return page.get_by_role("listitem").filter(visible=True)


def names(page: Page) -> list[str]:
    return rows(page).locator("b").all_text_contents()


def search(page: Page, text: str) -> None:
    page.get_by_role("searchbox").fill(text)


def pasted(page: Page) -> str:
    """Return what the clipboard holds, as any program would be given it."""
    search(page, "")
    page.get_by_role("searchbox").press("Control+V")
    return page.get_by_role("searchbox").input_value()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("csbc", ["CSBC - NCI"], id="case"),
        pytest.param("etude", ["Réseau d'Étude (Núcleo)"], id="accents in the name"),
        pytest.param("résEAU", ["Réseau d'Étude (Núcleo)"], id="accents in the question"),
        pytest.param("strasse son", ["Straße & Søn"], id="letters that are no accents"),
        pytest.param("1217", ["HTAN Supp DFCI"], id="beginning of the code"),
        pytest.param("  dfci   htan ", ["HTAN Supp DFCI"], id="words in any order"),
        pytest.param("CSBC - NCI / 101300", ["CSBC - NCI"], id="the tag itself"),
        pytest.param("nothing of the kind", [], id="nothing"),
    ],
)
def test_search_finds_by_code_and_name_without_case_and_accents(
    page: Page, url: str, text: str, found: list[str]
) -> None:
    page.goto(url)
    search(page, text)
    expect(rows(page)).to_have_count(len(found))
    assert names(page) == found


def test_search_says_how_many_match(page: Page, url: str) -> None:
    page.goto(url)
    count = page.locator("#count")
    expect(count).to_have_text("5 programs")
    search(page, "c")
    expect(count).to_have_text("3 of 5 programs")
    search(page, "none of them")
    expect(count).to_have_text("No program matches.")
    search(page, "")
    expect(count).to_have_text("5 programs")


def test_search_stays_when_the_page_is_reloaded(page: Page, url: str) -> None:
    page.goto(url)
    search(page, "étude & 100%")
    page.reload()
    expect(page.get_by_role("searchbox")).to_have_value("étude & 100%")


def test_copy_button_puts_exactly_the_tag_on_the_clipboard(
    open_page: OpenPage, url: str, store: Callable[..., None]
) -> None:
    store({"123456": "Two  spaces & <signs> " + "n" * 300})
    page = open_page(**CLIPBOARD)
    page.goto(url)
    rows(page).filter(has_text="123456").get_by_role("button").click()
    expect(rows(page).filter(has_text="123456").get_by_role("button")).to_have_text("Copied")
    expected = ("Two  spaces & <signs> " + "n" * 300)[:245] + " / 123456"
    assert page.evaluate("navigator.clipboard.readText()") == expected


def test_enter_copies_the_first_match(open_page: OpenPage, url: str) -> None:
    page = open_page(**CLIPBOARD)
    page.goto(url)
    search(page, "htan")
    page.get_by_role("searchbox").press("Enter")
    expect(page.locator("#said")).to_have_text("Copied HTAN Supp DFCI / 121700")
    assert page.evaluate("navigator.clipboard.readText()") == "HTAN Supp DFCI / 121700"


def test_copying_works_where_the_clipboard_is_out_of_reach_for_scripts(
    page: Page, url: str
) -> None:
    """As over plain HTTP: by selecting the tag and the browser's own copy command."""
    page.add_init_script(NO_CLIPBOARD)
    page.goto(url)
    page.get_by_role("button", name="Copy CSBC - NCI / 101300").click()
    expect(page.locator("#said")).to_have_text("Copied CSBC - NCI / 101300")
    assert pasted(page) == "CSBC - NCI / 101300"


def test_copying_that_is_refused_leaves_the_tag_selected(page: Page, url: str) -> None:
    page.add_init_script(NO_CLIPBOARD + "; document.execCommand = () => false")
    page.goto(url)
    page.get_by_role("button", name="Copy CSBC - NCI / 101300").click()
    expect(page.locator("#said")).to_contain_text("copy it yourself")
    assert page.evaluate("String(getSelection())") == "CSBC - NCI / 101300"


def test_keyboard_alone_finds_and_copies(open_page: OpenPage, url: str) -> None:
    page = open_page(**CLIPBOARD)
    page.goto(url)
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("csbc")
    page.keyboard.press("Tab")  # the link to the inactive ones
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Copy CSBC - NCI / 101300")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator("#said")).to_have_text("Copied CSBC - NCI / 101300")


def test_inactive_programs_are_shown_on_request_and_marked(page: Page, url: str) -> None:
    page.goto(f"{url}?show_other_code=yes")
    search(page, "core")
    expect(rows(page)).to_have_count(0)
    page.get_by_role("link", name="Show inactive ones too").click()
    expect(rows(page)).to_have_count(1)
    expect(rows(page).locator("b")).to_have_text("Legacy Genomics Core inactive")
    page.get_by_role("link", name="Hide inactive ones").click()
    expect(rows(page)).to_have_count(0)
    expect(page.get_by_role("searchbox")).to_have_value("core")
    assert page.url == f"{url}?show_other_code=yes#core"


@pytest.mark.parametrize(
    ("age", "said", "is_stale"),
    [
        (timedelta(0), "just now", False),
        (timedelta(minutes=5), "5 minutes ago", False),
        (timedelta(hours=23), "23 hours ago", False),
        (timedelta(hours=47), "47 hours ago", True),
        (timedelta(days=9), "9 days ago", True),
        (timedelta(hours=-1), "just now", False),
    ],
)
def test_freshness_is_told_relative_to_the_clock_on_the_wall(
    page: Page, url: str, store: Callable[..., None], age: timedelta, said: str, is_stale: bool
) -> None:
    store(age=age)
    page.goto(url)
    freshness = page.locator("header").get_by_text("Fetched from MIP Cloud")
    expect(freshness).to_contain_text(f"{said}, on ")
    expect(freshness.get_by_text("A newer list is on its way.")).to_be_visible(visible=is_stale)


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "</li></ul></main><script>alert(1)</script>",
        "</script><script>alert(1)</script>",
        "&lt;b&gt; {rows} $name %s \\u003c",
    ],
)
def test_hostile_name_stays_text(
    page: Page, url: str, store: Callable[..., None], name: str
) -> None:
    store({"123456": name})
    page.goto(url)
    row = rows(page).last
    expect(row.locator("b")).to_have_text(name)
    expect(row.locator("span")).to_have_text(f"{name} / 123456")
    expect(row.get_by_role("button", name=f"Copy {name} / 123456", exact=True)).to_be_visible()
    expect(page.locator("img")).to_have_count(0)


def test_without_javascript_the_page_is_a_plain_list(open_page: OpenPage, url: str) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(url)
    assert names(page) == ["No Program", *NAMES.values()]
    expect(rows(page).first.locator("span")).to_have_text("No Program / 000000")
    expect(page.get_by_role("button")).to_have_count(0)
    expect(page.get_by_role("searchbox")).to_have_count(0)
    page.get_by_role("link", name="Show inactive ones too").click()
    expect(rows(page)).to_have_count(6)


def test_miss_becomes_a_list_by_itself(page: Page, flows: Flows) -> None:
    flows.admin(action="purge", dataset="programs")
    page.clock.install()
    page.goto(f"{flows.stack.api_url}/?show_other_code=yes#nci")
    expect(page.get_by_role("heading")).to_have_text("Just a moment")
    expect(page.locator("#next")).to_have_text("This page looks again by itself in 10 seconds.")
    eventually(lambda: flows.is_idle() and _is_stored(flows))
    page.clock.run_for(RETRY_MS)
    expect(page.get_by_role("searchbox")).to_have_value("nci")
    expect(rows(page)).to_have_count(1)
    assert names(page) == ["CSBC - NCI"]


def test_miss_that_lasts_is_looked_at_again_and_again(
    page: Page, flows: Flows, missing: Callable[[Any], None]
) -> None:
    page.route("**/*", missing)
    page.clock.install()
    page.goto(f"{flows.stack.api_url}/")
    for _ in range(3):
        with page.expect_request(lambda request: request.method == "HEAD"):
            page.clock.run_for(RETRY_MS)
        expect(page.locator("#next")).to_contain_text("Not yet.")


def test_page_that_lost_its_connection_goes_on_looking(
    page: Page, flows: Flows, missing: Callable[[Any], None]
) -> None:
    page.route("**/*", missing)
    page.clock.install()
    page.goto(f"{flows.stack.api_url}/")
    page.unroute_all()
    page.route("**/*", lambda route: route.abort())
    with page.expect_event("requestfailed"):
        page.clock.run_for(RETRY_MS)
    expect(page.locator("#next")).to_contain_text("Not yet.")


def test_wrong_parameter_is_explained_with_a_way_out(page: Page, url: str) -> None:
    page.goto(f"{url}?limit=many")
    expect(page.get_by_role("heading")).to_have_text("That did not work")
    expect(page.get_by_text("The parameter limit must be a whole number")).to_be_visible()
    page.get_by_role("link", name="All programs").click()
    expect(rows(page)).to_have_count(5)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize(
    "query", ["", "show_inactive_codes=yes", "limit=many"], ids=["list", "inactive", "error"]
)
def test_axe_finds_nothing_serious(
    open_page: OpenPage, axe: Axe, url: str, scheme: str, width: int, query: str
) -> None:
    page = open_page(color_scheme=scheme, viewport={"width": width, "height": 800})
    page.goto(f"{url}?{query}")
    expect(page.get_by_role("heading")).to_be_visible()
    assert axe(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_while_a_list_is_being_built(
    open_page: OpenPage,
    axe: Axe,
    flows: Flows,
    missing: Callable[[Any], None],
    scheme: str,
) -> None:
    page = open_page(color_scheme=scheme)
    page.route("**/*", missing)
    page.goto(f"{flows.stack.api_url}/")
    assert axe(page) == []


def test_axe_would_find_something(page: Page, axe: Axe, url: str) -> None:
    """A name taken away from a link is serious: the check itself can fail."""
    page.goto(url)
    page.evaluate("document.getElementById('switch').textContent = ''")
    assert [finding.partition(":")[0] for finding in axe(page)] == ["link-name"]


def test_narrow_page_neither_scrolls_sideways_nor_cuts_anything_off(
    open_page: OpenPage, url: str, store: Callable[..., None]
) -> None:
    store({"123456": "W" * 245, "234567": "Plain"})
    page = open_page(viewport={"width": 320, "height": 640})
    page.goto(url)
    expect(rows(page)).to_have_count(3)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    for cell in rows(page).locator("b, span").all():
        assert cell.evaluate("(cell) => cell.scrollWidth <= cell.clientWidth")


def test_five_thousand_programs_are_filtered_between_two_frames(
    page: Page, url: str, store: Callable[..., None]
) -> None:
    store({f"{100_000 + n}": f"Étude number {n}" for n in range(5_000)})
    page.goto(url)
    times = [_milliseconds_to_filter(page, text) for text in ("e", "et", "etude 4", "499", "")]
    expect(page.locator("#count")).to_have_text("5,001 programs")
    # About 5 on an idle machine; anything that grows faster than the list takes seconds.
    assert min(times) < 100


def _milliseconds_to_filter(page: Page, text: str) -> float:
    return page.evaluate(
        """(text) => {
          const query = document.getElementById("query");
          const start = performance.now();
          query.value = text;
          query.dispatchEvent(new Event("input"));
          return performance.now() - start;
        }""",
        text,
    )


def _is_stored(flows: Flows) -> bool:
    found = flows.s3.list_objects_v2(Bucket=flows.bucket, Prefix=PROGRAMS_KEY)
    return found["KeyCount"] == 1
