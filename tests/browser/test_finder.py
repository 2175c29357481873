"""The program finder in a browser, served by the local stack."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from core.model.entry import ProgramLists, encode
from handlers.pages.notice import for_people
from handlers.proxy import problem
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
VISIBILITY = """
  window.seen = "visible";
  Object.defineProperty(document, "visibilityState", { get: () => window.seen });
"""
RANKING = json.loads((Path(__file__).parents[1] / "samples" / "ranking.json").read_text("utf-8"))
ANYWHERE = "http://127.0.0.1:9/"
RETRY_MS = 10_000
CHECK_MS = 5 * 60_000
HOSTILE = (
    '"><img src=x onerror=alert(1)>',
    "</script><script>alert(1)</script>",
    "</li></ul></main><script>alert(1)</script>",
    "&lt;b&gt; <b>$&{q} {rows} $name %s \\u003c",
)

Store = Callable[..., None]


@pytest.fixture(scope="module")
def flows() -> Iterator[Flows]:
    """A running stack whose reader does not wait on a miss."""
    mip = MipCloud()
    with LocalStack(
        gateway_port=0, aws_port=0, mip_port=0, mip=mip, parameters={"MissWaitSeconds": "0"}
    ) as stack:
        yield Flows(stack, mip)


@pytest.fixture
def store(flows: Flows) -> Store:
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
def url(flows: Flows, store: Store) -> str:
    """Where the page is, with the usual list in the cache."""
    store()
    return f"{flows.stack.api_url}/"


def keep_missing(page: Page, retry_after: int = RETRY_MS // 1000) -> None:
    """Have every request answered as the reader does while there is no entry."""
    told = for_people(problem(503, "Not there.", {"Retry-After": f"{retry_after}"}), "text/html")
    page.route(
        "**/*", lambda route: route.fulfill(status=503, headers=told["headers"], body=told["body"])
    )


def field(page: Page) -> Locator:
    return page.locator("#query")


def rows(page: Page) -> Locator:
    return page.locator("#programs > *")


def row(page: Page, text: str) -> Locator:
    return rows(page).filter(has_text=text)


def names(page: Page) -> list[str]:
    return rows(page).locator("b").all_text_contents()


def search(page: Page, text: str) -> None:
    field(page).fill(text)


def many(count: int) -> dict[str, str]:
    return {f"{100_000 + n}": f"Étude number {n}" for n in range(count)}


# --- search -------------------------------------------------------------------------------------


def test_page_ranks_and_marks_as_the_table_says(page: Page, url: str, store: Store) -> None:
    """The table holds for the server, too."""
    store(RANKING["programs"], {})
    page.goto(f"{url}?hide_no_program_code=yes&priority_codes={','.join(RANKING['programs'])}")
    for case in RANKING["cases"]:
        search(page, case["q"])
        assert rows(page).locator("code").all_text_contents() == case["found"], case
        if "marked" in case:
            assert rows(page).locator("mark").all_text_contents() == case["marked"], case


def test_arrow_keys_move_the_mark_and_enter_copies_what_is_marked(
    open_page: OpenPage, url: str
) -> None:
    page = open_page(**CLIPBOARD)
    page.goto(url)
    marked = page.get_by_role("row", selected=True)
    expect(field(page)).to_be_focused()
    expect(marked).to_have_count(0)
    page.keyboard.type("c")
    for key, name in (
        (None, "CSBC - NCI"),
        ("ArrowDown", "Réseau d'Étude (Núcleo)"),
        ("ArrowDown", "HTAN Supp DFCI"),
        ("ArrowDown", "HTAN Supp DFCI"),
        ("ArrowUp", "Réseau d'Étude (Núcleo)"),
        ("PageUp", "CSBC - NCI"),
        ("PageDown", "HTAN Supp DFCI"),
    ):
        if key:
            page.keyboard.press(key)
        expect(marked.locator("b")).to_have_text(name)
        expect(marked).to_have_id(field(page).get_attribute("aria-activedescendant") or "")
    page.keyboard.press("Enter")
    expect(marked.get_by_role("button")).to_have_text("Copied")
    expect(field(page)).to_be_focused()
    assert page.evaluate("navigator.clipboard.readText()") == "HTAN Supp DFCI / 121700"
    page.keyboard.press("Escape")
    expect(field(page)).to_have_value("")
    expect(marked).to_have_count(0)


def test_enter_copies_nothing_while_nothing_is_marked(open_page: OpenPage, url: str) -> None:
    page = open_page(**CLIPBOARD)
    page.goto(url)
    page.evaluate("navigator.clipboard.writeText('as before')")
    field(page).press("Enter")
    search(page, "nothing of the kind")
    field(page).press("Enter")
    expect(page.locator("#said")).to_be_empty()
    assert page.evaluate("navigator.clipboard.readText()") == "as before"


def test_list_is_back_at_its_top_while_one_types(page: Page, url: str, store: Store) -> None:
    store(many(90))
    page.goto(url)
    for _ in range(30):
        page.keyboard.press("ArrowDown")
    expect(page.get_by_role("row", selected=True)).to_be_in_viewport()
    page.mouse.wheel(0, 5000)
    expect(rows(page).first).not_to_be_in_viewport()
    page.keyboard.type("e")
    expect(rows(page).first).to_be_in_viewport(ratio=1)
    expect(field(page)).to_be_in_viewport(ratio=1)


def test_long_list_is_shown_by_parts_and_says_so(page: Page, url: str, store: Store) -> None:
    """So a keystroke among thousands of programs draws no more than a few rows."""
    store(many(5_000))
    page.goto(url)
    more = page.locator("#more")
    search(page, "e")
    expect(page.locator("#count")).to_have_text("5,000 of 5,001 programs")
    expect(rows(page)).to_have_count(25)
    expect(more).to_have_text("The first 25 are shown. Show all 5,000")
    more.scroll_into_view_if_needed()
    expect(more).to_have_text("The first 125 are shown. Show all 5,000")
    more.get_by_role("button").click()
    expect(rows(page)).to_have_count(5_000)
    expect(more).to_be_hidden()


def test_search_that_finds_nothing_says_what_would_help(page: Page, url: str) -> None:
    page.goto(url)
    search(page, "nothing of the kind")
    expect(page.locator("#count")).to_have_text("No program matches.")
    expect(page.locator("#help")).to_contain_text("Try fewer letters")
    search(page, "genomics")
    page.get_by_role("link", name="1 inactive program matches: show").click()
    expect(rows(page).locator("b")).to_have_text(["Legacy Genomics Core inactive"])
    expect(page.locator("#help")).to_be_hidden()


# --- address ------------------------------------------------------------------------------------


def test_search_is_in_the_address_and_leaves_no_history(page: Page, url: str) -> None:
    page.goto("about:blank")
    page.goto(f"{url}?show_other_code=yes")
    field(page).press_sequentially("étude & 100%")
    expect(page).to_have_url(f"{url}?show_other_code=yes&q=%C3%A9tude+%26+100%25")
    page.reload()
    expect(field(page)).to_have_value("étude & 100%")
    page.go_back()
    assert page.url == "about:blank"


def test_shared_search_shows_its_matches_and_takes_another_one(
    open_page: OpenPage, url: str
) -> None:
    page = open_page(**CLIPBOARD)
    page.goto(f"{url}?q=htan")
    assert names(page) == ["HTAN Supp DFCI"]
    field(page).press("Enter")
    expect(page.locator("#said")).to_have_text("Copied HTAN Supp DFCI / 121700")
    search(page, "csbc")
    expect(rows(page).locator("b")).to_have_text(["CSBC - NCI"])
    expect(page.locator("#count")).to_have_text("1 of 5 programs")
    search(page, "")
    expect(page.locator("#count")).to_have_text("5 programs")
    expect(page).to_have_url(url)


def test_without_the_whole_list_the_reader_searches(page: Page, url: str) -> None:
    page.route(url, lambda route: route.abort())
    page.goto(f"{url}?q=htan")
    search(page, "csbc")
    expect(page.locator("#count")).to_contain_text("could not be loaded. Press Enter")
    field(page).press("Enter")
    expect(page).to_have_url(f"{url}?q=csbc")
    expect(page.locator("#count")).to_have_text("1 of 5 programs")
    assert names(page) == ["CSBC - NCI"]


def test_address_that_changes_is_heard(page: Page, url: str) -> None:
    """Bookmarks of earlier versions have the search behind a #."""
    page.goto(f"{url}?show_other_code=yes#csbc")
    expect(field(page)).to_have_value("csbc")
    expect(page).to_have_url(f"{url}?show_other_code=yes&q=csbc")
    page.evaluate("location.hash = 'htan'")
    expect(rows(page).locator("b")).to_have_text(["HTAN Supp DFCI"])
    expect(page).to_have_url(f"{url}?show_other_code=yes&q=htan")
    page.go_back()
    expect(rows(page).locator("b")).to_have_text(["CSBC - NCI"])


def test_inactive_programs_are_shown_on_request_and_marked(page: Page, url: str) -> None:
    page.goto(f"{url}?show_other_code=yes")
    search(page, "core")
    expect(rows(page)).to_have_count(0)
    page.get_by_role("link", name="Show inactive ones too").click()
    expect(rows(page).locator("b")).to_have_text(["Legacy Genomics Core inactive"])
    page.get_by_role("link", name="Hide inactive ones").click()
    expect(rows(page)).to_have_count(0)
    expect(page).to_have_url(f"{url}?show_other_code=yes&q=core")


# --- copy ---------------------------------------------------------------------------------------


def test_copy_button_puts_exactly_the_tag_on_the_clipboard(
    open_page: OpenPage, url: str, store: Store
) -> None:
    name = "Two  spaces & <signs> " + "n" * 300
    store({"123456": name})
    page = open_page(**CLIPBOARD)
    page.goto(url)
    found = row(page, "123456")
    found.get_by_role("button").click()
    expect(found.get_by_role("button")).to_have_text("Copied")
    expect(found).to_have_attribute("aria-selected", "true")
    assert page.evaluate("navigator.clipboard.readText()") == f"{name[:245]} / 123456"


def test_copying_works_where_the_clipboard_is_out_of_reach_for_scripts(
    page: Page, url: str
) -> None:
    """As over plain HTTP: by selecting the tag and the browser's own copy command."""
    page.add_init_script(NO_CLIPBOARD)
    page.goto(url)
    page.get_by_role("button", name="Copy CSBC - NCI / 101300").click()
    expect(page.locator("#said")).to_have_text("Copied CSBC - NCI / 101300")
    search(page, "")
    field(page).press("Control+V")
    expect(field(page)).to_have_value("CSBC - NCI / 101300")


def test_copying_that_is_refused_is_told_in_the_row_and_leaves_the_tag_selected(
    page: Page, url: str
) -> None:
    page.add_init_script(NO_CLIPBOARD + "; document.execCommand = () => false")
    page.goto(url)
    for _ in range(2):
        row(page, "CSBC").get_by_role("button").click()
        expect(row(page, "CSBC").locator("small")).to_contain_text("copy it yourself")
        expect(page.locator("#said")).to_contain_text("copy it yourself")
        assert page.evaluate("String(getSelection())").strip() == "CSBC - NCI / 101300"
    row(page, "HTAN").get_by_role("button").click()
    expect(page.locator("small")).to_have_count(1)


def test_keyboard_alone_finds_and_copies(open_page: OpenPage, url: str) -> None:
    page = open_page(**CLIPBOARD)
    page.goto(url)
    page.keyboard.type("csbc")
    page.keyboard.press("Tab")  # the link to the inactive ones
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Copy CSBC - NCI / 101300")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator("#said")).to_have_text("Copied CSBC - NCI / 101300")


# --- the truth about its age --------------------------------------------------------------------


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
    page: Page, url: str, store: Store, age: timedelta, said: str, is_stale: bool
) -> None:
    store(age=age)
    page.goto(url)
    freshness = page.locator("header").get_by_text("Fetched from MIP Cloud")
    expect(freshness).to_contain_text(f"{said}, on ")
    expect(freshness.get_by_text("A newer list is on its way.")).to_be_visible(visible=is_stale)


def test_newer_list_is_not_promised_while_mip_does_not_answer(
    page: Page, url: str, store: Store
) -> None:
    def tell_of_trouble(route: Route) -> None:
        answer = route.fetch()
        trouble = '<p id="trouble" class="told" role="status">'
        route.fulfill(response=answer, body=answer.text().replace(trouble, f"{trouble}No answer."))

    store(age=timedelta(days=2))
    page.route("**/*", tell_of_trouble)
    page.goto(url)
    expect(page.get_by_text("2 days ago")).to_be_visible()
    expect(page.get_by_text("No answer.")).to_be_visible()
    expect(page.get_by_text("A newer list is on its way.")).to_be_hidden()


def test_newer_list_is_offered_while_the_page_is_seen(page: Page, url: str, store: Store) -> None:
    page.add_init_script(VISIBILITY)
    page.clock.install()
    page.goto(f"{url}?q=htan")
    renewed = page.locator("#renewed")
    with page.expect_response(url):
        page.clock.run_for(CHECK_MS)
    expect(renewed).to_be_empty()
    store({"121700": "HTAN renamed"}, age=timedelta(minutes=-1))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate("seen = 'hidden'")
    page.clock.run_for(3 * CHECK_MS)
    assert asked == []
    page.evaluate("seen = 'visible'; document.dispatchEvent(new Event('visibilitychange'))")
    renewed.get_by_role("button", name="Show it").click()
    expect(rows(page).locator("b")).to_have_text(["HTAN renamed"])
    expect(renewed).to_be_empty()


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_name_and_search_stay_text(
    page: Page, url: str, store: Store, hostile: str
) -> None:
    store({"123456": hostile})
    page.goto(f"{url}?q={quote(hostile)}")
    expect(field(page)).to_have_value(hostile)
    for text in (hostile, ""):
        search(page, text)
        last = rows(page).last
        expect(last.locator("b")).to_have_text(hostile)
        expect(last.locator("span")).to_have_text(f"{hostile} / 123456")
        expect(last.get_by_role("button", name=f"Copy {hostile} / 123456")).to_be_visible()
    expect(page.locator("img")).to_have_count(0)


# --- without JavaScript, without a list ---------------------------------------------------------


def test_without_javascript_the_page_is_a_form_and_a_list(open_page: OpenPage, url: str) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(f"{url}?show_inactive_codes=yes")
    expect(rows(page)).to_have_count(6)
    expect(page.locator("#hint")).to_be_hidden()
    search(page, "étude")
    page.get_by_role("button", name="Search").click()
    expect(page).to_have_url(f"{url}?q=%C3%A9tude&show_inactive_codes=yes")
    expect(rows(page).locator("mark")).to_have_text(["Étude"])


@pytest.mark.parametrize("java_script_enabled", [True, False])
def test_narrow_page_neither_scrolls_sideways_nor_cuts_or_squeezes_anything(
    open_page: OpenPage, url: str, store: Store, java_script_enabled: bool
) -> None:
    store({"123456": "W" * 245, "234567": "A plain name of an ordinary length"})
    page = open_page(
        viewport={"width": 320, "height": 640}, java_script_enabled=java_script_enabled
    )
    page.goto(url)
    expect(rows(page)).to_have_count(3)
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    for cell in rows(page).locator("b, span").all():
        cut, lines = cell.evaluate(
            "(cell) => [cell.scrollWidth > cell.clientWidth, cell.clientHeight / 24]"
        )
        assert not cut
        assert lines < len(cell.text_content() or "") / 8 + 2


def test_miss_becomes_a_list_by_itself(page: Page, flows: Flows) -> None:
    flows.admin(action="purge", dataset="programs")
    page.clock.install()
    page.goto(f"{flows.stack.api_url}/?show_other_code=yes&q=nci")
    expect(page.get_by_role("heading")).to_have_text("Just a moment")
    expect(page.locator("#next")).to_have_text("This page looks again by itself in 10 seconds.")
    page.clock.run_for(RETRY_MS / 2)
    expect(page.locator("#next")).to_have_text("This page looks again by itself in 5 seconds.")
    eventually(lambda: flows.is_idle() and flows.get("/tags").ok)
    page.clock.run_for(RETRY_MS / 2)
    expect(field(page)).to_have_value("nci")
    expect(rows(page).locator("b")).to_have_text(["CSBC - NCI"])


def test_long_outage_is_counted_down_in_minutes_and_looked_at_before_its_end(page: Page) -> None:
    keep_missing(page, retry_after=3600)
    page.clock.install()
    page.goto(ANYWHERE)
    page.clock.run_for(61_000)
    expect(page.get_by_role("timer")).to_have_text("3:59 minutes")
    page.emulate_media(reduced_motion="reduce")
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "61")


def test_miss_that_lasts_is_looked_at_again_and_again_even_without_a_connection(
    page: Page,
) -> None:
    keep_missing(page)
    page.clock.install()
    page.goto(ANYWHERE)
    for _ in range(2):
        with page.expect_request(lambda request: request.method == "HEAD"):
            page.clock.run_for(RETRY_MS)
        expect(page.locator("#said")).to_contain_text("Not yet.")
    page.unroute_all()
    page.route("**/*", lambda route: route.abort())
    for _ in range(2):
        with page.expect_event("requestfailed"):
            page.clock.run_for(RETRY_MS)
        expect(page.locator("#said")).to_contain_text("Not yet.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize(
    "query", ["", "show_inactive_codes=yes&q=c", "q=genomics&limit=2", "limit=many", None]
)
def test_axe_finds_nothing_serious(
    open_page: OpenPage, axe: Axe, url: str, scheme: str, width: int, query: str | None
) -> None:
    """In the list, a search, one that found nothing, a mistake, and while there is no list."""
    page = open_page(color_scheme=scheme, viewport={"width": width, "height": 800})
    if query is None:
        keep_missing(page)
    page.goto(f"{url}?{query}")
    expect(page.get_by_role("heading")).to_be_visible()
    assert axe(page) == []


def test_printed_page_has_every_match_and_nothing_to_press(
    page: Page, url: str, store: Store
) -> None:
    store(many(60))
    page.goto(url)
    expect(rows(page)).to_have_count(25)
    assert page.pdf()
    expect(rows(page)).to_have_count(61)
    page.emulate_media(media="print", color_scheme="dark")
    expect(page.get_by_role("button")).to_have_count(0)
    expect(field(page)).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_marked_row_is_seen_in_forced_colours(open_page: OpenPage, url: str) -> None:
    page = open_page(forced_colors="active")
    page.goto(url)
    search(page, "c")
    styles = rows(page).evaluate_all("(rows) => rows.map((row) => getComputedStyle(row).outline)")
    assert ["solid" in style for style in styles] == [True, False, False]
