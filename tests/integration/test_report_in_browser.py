"""The report in headless Chromium, where there is one: it shows, asks for nothing, fits a phone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from browser import CHROMIUM, Browser, browser
from projects import Project
from report_account import live_on

from pipelines.html_report.write import write_report
from sources.sandbox import Sandbox

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")

HOSTILE = '<script>window.taken = 1</script><img src="http://127.0.0.1:9/x" onerror="taken=1">'
LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen" * 3
FITS = "document.documentElement.scrollWidth <= innerWidth"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report about an account with names that would like to be markup, or are very long."""
    with Sandbox(persons=5, organizations=3, leads=30, archived_leads=8, deals=3) as box:
        project = Project(tmp_path_factory.mktemp("browser"), box)
        live_on(box.account, days=20, leads=5)
        project.run()
        with duckdb.connect(str(project.folder / "pipedrive.duckdb")) as connection:
            connection.execute("update leads set labels = ?, source_name = ?", [[LONG], HOSTILE])
            for place, label in enumerate((HOSTILE, LONG)):
                connection.execute(
                    "update custom_fields set label = ? where rowid % 10 = ?", [label, place]
                )
            connection.execute("update sync_runs set error = ?", [LONG])
        return write_report(project.settings(), project.folder / "report.html")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


def test_the_browser_tells_of_problems_and_requests(chromium: Browser, tmp_path: Path) -> None:
    file = tmp_path / "bad.html"
    file.write_text("<img src='missing.png'><script>oops()</script>")
    shown = chromium.open(file, width=360)
    assert any("oops is not defined" in problem for problem in shown.problems)
    assert (tmp_path / "missing.png").as_uri() in shown.requests


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1280])
def test_it_shows_without_a_problem_or_a_request_and_fits(
    chromium: Browser, page: Path, width: int, scheme: str
) -> None:
    shown = chromium.open(page, width=width, scheme=scheme)  # type: ignore[arg-type]
    assert shown.problems == []
    assert shown.requests == [page.as_uri()]
    assert shown.value(FITS)
    assert shown.value("document.querySelectorAll('[role=img] rect.open').length") > 20
    assert shown.value("typeof window.taken") == "undefined"
    assert shown.value("document.querySelector('script, img')") is None
    shown.value("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert shown.value(FITS), "with the tables unfolded"


def test_its_colours_follow_the_system_and_the_switch(chromium: Browser, page: Path) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    light = chromium.open(page, width=800, scheme="light")
    dark = chromium.open(page, width=800, scheme="dark")
    white, black = light.value(paper), dark.value(paper)
    assert white != black
    light.value("document.querySelector('#theme-dark').click()")
    dark.value("document.querySelector('#theme-light').click()")
    assert (light.value(paper), dark.value(paper)) == (black, white)


def test_its_text_stays_as_large_on_a_phone(chromium: Browser, page: Path) -> None:
    size = (
        "[...document.querySelectorAll('.plot text')]"
        ".filter(one => one.getClientRects().length && one.textContent)"
        ".map(one => one.getBoundingClientRect().height)"
    )
    sizes = chromium.open(page, width=360).value(size)
    assert len(sizes) > 50
    assert min(sizes) >= 11


def test_what_it_tells_is_reached_with_the_keyboard(chromium: Browser, page: Path) -> None:
    shown = chromium.open(page, width=800)
    there = "document.activeElement.tagName"
    visited = []
    for _ in range(12):
        shown.press("Tab", 9)
        visited.append(shown.value(there))
        if visited[-1] == "SUMMARY":
            break
    assert visited[:2] == ["A", "INPUT"]
    assert visited[-1] == "SUMMARY"
    shown.press("Enter", 13)
    assert shown.value("document.activeElement.parentElement.open")
    shown.press("Tab", 9)
    assert shown.value("document.activeElement.className") == "scroller"
