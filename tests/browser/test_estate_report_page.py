# Copyright (c) 2026, Quayside contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of the report in a real browser, from a file: with a mouse, a keyboard, a phone, and without JavaScript."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ansible_collections.quayside.paas.plugins.plugin_utils._estate_report import files_of
from conftest import MOMENT
from support.playbook import COLLECTION

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}}
PHONE: dict[str, Any] = {
    "viewport": {"width": 375, "height": 812},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
LOOKS: dict[str, dict[str, Any]] = {
    "light": {**DESK, "color_scheme": "light"},
    "dark": {**DESK, "color_scheme": "dark"},
    "phone": {**PHONE, "color_scheme": "light"},
    "phone, dark": {**PHONE, "color_scheme": "dark"},
}
LARGEST_PICTURE = 300_000  # bytes
# Where pictures for the documentation are to go; without it they are looked at and forgotten.
PICTURES = "ESTATE_REPORT_PICTURES"


@contextlib.contextmanager
def opened(browser: Browser, file: Path, at: str = MOMENT, **options: Any) -> Iterator[Page]:
    """The page at a moment. Fails at the end when it said anything, asked for anything, or opened a dialogue."""
    complaints: list[str] = []
    context = browser.new_context(reduced_motion="reduce", **(options or DESK))
    try:
        page = context.new_page()
        page.on("console", lambda message: complaints.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("dialog", lambda dialog: complaints.append(f"dialogue: {dialog.message}"))
        page.on("request", lambda request: complaints.append(f"request: {request.url}"))
        if options.get("java_script_enabled", True):
            page.clock.set_fixed_time(at)
        page.goto(file.as_uri())
        assert complaints == [f"request: {file.as_uri()}"]
        complaints.clear()
        yield page
        assert complaints == []
    finally:
        context.close()


@pytest.fixture(scope="session")
def page_file(folder: Path) -> Path:
    return folder / "estate.html"


@pytest.fixture(scope="session")
def report(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "estate.json").read_text(encoding="utf-8"))
    return found


def seen(page: Page, selector: str) -> list[str]:
    """The texts of the elements that can be seen."""
    return [text.strip() for text in page.locator(f"{selector}:visible").all_inner_texts()]


def test_it_says_first_what_is_wrong_and_where(browser: Browser, page_file: Path, report: dict[str, Any]) -> None:
    with opened(browser, page_file) as page:
        assert [int(text) for text in seen(page, ".verdict .count")] == list(report["counts"].values())
        for selector in (".verdict", ".hot", ".matrix >> nth=0", ".findings tbody tr >> nth=0"):
            box = page.locator(selector).first.bounding_box()
            assert box is not None
            assert box["y"] + box["height"] < DESK["viewport"]["height"], selector
        assert page.title().startswith("Estate report: ")
        assert page.locator(".findings tbody tr").count() == len(report["findings"])
        assert page.locator("#old").is_hidden()


@pytest.mark.parametrize("look", LOOKS)
def test_nothing_stands_in_the_way_of_anybody(browser: Browser, page_file: Path, look: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed").Axe()
    with opened(browser, page_file, **LOOKS[look]) as page:
        page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
        results = axe.run(page)
    found = results.response["violations"]
    assert not [(one["id"], [node["html"][:200] for node in one["nodes"][:3]]) for one in found]


@pytest.mark.parametrize("width", [320, 375, 560, 721, 900, 1280, 1900])
def test_no_width_makes_the_page_scroll_sideways(browser: Browser, page_file: Path, width: int) -> None:
    with opened(browser, page_file, viewport={"width": width, "height": 800}) as page:
        page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_on_a_phone_every_value_has_its_name_and_fits(browser: Browser, page_file: Path) -> None:
    with opened(browser, page_file, **LOOKS["phone"]) as page:
        outside = page.evaluate(
            """() => [...document.querySelectorAll('main td, main th, main li, main p')]
                .filter(one => one.getBoundingClientRect().right > innerWidth + 1 && one.checkVisibility())
                .map(one => one.outerHTML.slice(0, 120))"""
        )
        assert outside == []
        names = page.evaluate(
            """() => [...document.querySelectorAll('#addons tbody tr')].map(row =>
                getComputedStyle(row.cells[1], '::before').content)"""
        )
        assert names
        assert set(names) == {'"Project"'}
        # What is touched is large enough.
        heights = page.evaluate(
            "() => [...document.querySelectorAll('.tools input, .tools button')].map(one => one.offsetHeight)"
        )
        assert min(heights) >= 44


def test_every_finding_leads_to_its_row(browser: Browser, page_file: Path, report: dict[str, Any]) -> None:
    with opened(browser, page_file) as page:
        links = page.locator(".findings td.what a")
        assert links.count() == sum(one["row"] is not None for one in report["findings"])
        for place in range(0, links.count(), 7):
            links.nth(place).click()
            row = page.locator(f"[id='{page.url.split('#')[1]}']")
            assert row.evaluate("one => document.activeElement === one")
            assert links.nth(place).inner_text() in row.inner_text()
            box = row.bounding_box()
            assert box is not None
            assert 0 <= box["y"] < DESK["viewport"]["height"]


def test_filters(browser: Browser, page_file: Path, report: dict[str, Any]) -> None:
    every = len(report["findings"])
    critical = report["counts"]["critical"]
    with opened(browser, page_file) as page:
        part = page.locator("#findings")
        part.get_by_role("button", name="Critical").click()
        assert page.locator(".findings tbody tr:visible").count() == every - critical
        assert part.locator("output").inner_text() == f"{every - critical} of {every} rows"
        part.get_by_role("button", name="Critical").click()
        part.get_by_role("searchbox").fill("node offline")
        shown = seen(page, ".findings tbody tr")
        assert shown
        assert all("node" in text and "offline" in text for text in shown)
        part.get_by_role("searchbox").fill("no such thing")
        assert not seen(page, ".findings tbody tr")
        # A row that a filter hides is shown again when something leads to it.
        part.get_by_role("searchbox").fill("")
        page.locator("#addons").get_by_role("searchbox").fill("no such thing")
        target = page.locator(".findings a[href^='#addons-']").first
        target.click()
        assert page.locator(f"[id='{page.url.split('#')[1]}']").is_visible()


def test_sorting(browser: Browser, page_file: Path) -> None:
    with opened(browser, page_file) as page:
        head = page.locator("#backups thead th", has_text="Size")
        assert head.get_attribute("aria-sort") == "none"
        for direction, reverse in (("descending", True), ("ascending", False)):
            head.get_by_role("button").click()
            assert head.get_attribute("aria-sort") == direction
            cells = page.locator("#backups tbody tr td:nth-child(7)")
            sizes = [int(text) for text in cells.evaluate_all("all => all.map(one => one.dataset.sort)") if text]
            assert len(sizes) > 5
            assert sizes == sorted(sizes, reverse=reverse)
        names = page.locator("#addons thead th", has_text="Addon")
        names.get_by_role("button").click()
        shown = page.locator("#addons tbody th bdi:first-child").all_inner_texts()
        assert shown == sorted(shown, key=str.casefold)
        # Instances stay with their server.
        before = page.locator("#instances tr.group").all_inner_texts()
        page.locator("#instances thead th", has_text="CPU").get_by_role("button").click()
        assert page.locator("#instances tr.group").all_inner_texts() == before


def test_a_keyboard_is_enough(browser: Browser, page_file: Path) -> None:
    with opened(browser, page_file) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        box = page.locator(".skip").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "findings"
        names = []
        for _step in range(12):
            page.keyboard.press("Tab")
            found = page.evaluate(
                """() => { const one = document.activeElement, style = getComputedStyle(one);
                    return [one.textContent || one.placeholder, style.outlineStyle, one.checkVisibility()]; }"""
            )
            assert found[1] == "solid", found
            assert found[2], found
            names.append(found[0])
        assert names[:5] == ["Filter findings", "Critical", "Warning", "Notice", "Severity"]
        page.locator("#findings thead button", has_text="Since").focus()
        page.keyboard.press("Enter")
        assert page.locator("#findings thead th", has_text="Since").get_attribute("aria-sort") == "descending"


def test_it_is_whole_without_javascript(browser: Browser, page_file: Path, report: dict[str, Any]) -> None:
    with opened(browser, page_file, **DESK, java_script_enabled=False) as page:
        assert page.locator("button, input, select").count() == 0
        assert page.locator(".findings tbody tr:visible").count() == len(report["findings"])
        assert page.locator("main tr[hidden]").count() == 0
        for table in ("addons", "instances", "servers"):
            rows = page.locator(f"#{table} tbody tr:not(.group):visible").count()
            assert rows == len(report["tables"][table])


def test_pictures_have_words(browser: Browser, page_file: Path, report: dict[str, Any]) -> None:
    with opened(browser, page_file) as page:
        assert page.locator("svg:not([aria-hidden='true'])").count() == 0
        page.locator("#templates summary").click()
        rows = page.locator("#templates details tbody tr").all_inner_texts()
        assert [row.split("\t")[0] for row in rows] == report["series"]["days"]
        assert page.locator("#instances .spark .unseen").first.inner_text().strip().startswith("(")


def test_an_old_page_says_so(browser: Browser, page_file: Path) -> None:
    with opened(browser, page_file, at="2026-11-05T09:00:00Z") as page:
        assert page.locator("#old").inner_text() == "3 days old."


def test_it_prints_without_its_controls(browser: Browser, page_file: Path) -> None:
    with opened(browser, page_file) as page:
        page.emulate_media(media="print")
        assert page.locator(".nav").is_hidden()
        assert page.locator(".tools:visible").count() == 0
        assert page.locator("#addons table").is_visible()


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</script><svg onload=alert(1)>",
    "\u202egnp.exe",
    "x" * 10_000,
    "{{ 7*7 }}",
]


def renamed(value: Any, count: list[int]) -> Any:
    """The report with other names, states and messages."""
    if isinstance(value, list):
        return [renamed(one, count) for one in value]
    if not isinstance(value, dict):
        return value
    # These have words of ours.
    found = {key: one if key in ("lately", "areas") else renamed(one, count) for key, one in value.items()}
    for key in ("name", "subject", "project", "server", "version", "text", "title", "error"):
        if isinstance(found.get(key), str):
            count[0] += 1
            found[key] = HOSTILE[count[0] % len(HOSTILE)]
    return found


def test_names_that_mean_harm_do_nothing(browser: Browser, tmp_path: Path, report: dict[str, Any]) -> None:
    parts = COLLECTION / "roles" / "estate_report" / "files"
    file = tmp_path / "estate.html"
    file.write_text(files_of(renamed(report, [0]), str(parts), 500)["html"], encoding="utf-8")
    for options in (DESK, PHONE):
        with opened(browser, file, **options) as page:
            assert page.locator("main img, main script").count() == 0
            assert "<script>alert(1)</script>" in page.inner_text("#findings")
            assert page.evaluate("document.documentElement.scrollWidth") <= options["viewport"]["width"]


def test_pictures_for_the_documentation(browser: Browser, page_file: Path, tmp_path: Path) -> None:
    target = Path(os.environ.get(PICTURES) or tmp_path)
    shots = {
        "estate_report.png": {"viewport": {"width": 1280, "height": 1000}, "color_scheme": "light"},
        "estate_report_dark.png": {"viewport": {"width": 1280, "height": 1000}, "color_scheme": "dark"},
        "estate_report_phone.png": {"viewport": {"width": 375, "height": 812}, "color_scheme": "light"},
    }
    for name, options in shots.items():
        with opened(browser, page_file, **options) as page:
            page.screenshot(path=target / name)
        assert 10_000 < (target / name).stat().st_size < LARGEST_PICTURE
