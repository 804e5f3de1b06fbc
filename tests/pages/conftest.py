import pytest
from playwright.sync_api import expect, sync_playwright

from bot.settings import settings
from tests.bot.desk.house import House, build
from tests.channels.web.house import free_port, running_house
from tests.pages.browser import ARGUMENTS, CHROMIUM
from tests.pages.desk import PATIENCE, Seat


@pytest.fixture(scope="session")
def embedder_port():
    return free_port()


@pytest.fixture(scope="module")
def house(tmp_path_factory, embedder_port):
    origin = f"http://127.0.0.1:{embedder_port}"
    with running_house(tmp_path_factory.mktemp("pages"), DAOYI_ORIGINS=origin, DAOYI_RATE_PER_MINUTE="500") as running:
        yield running


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def context(chromium):
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, locale="zh-CN")
    context.set_default_timeout(10_000)
    yield context
    context.close()


@pytest.fixture
def page(context):
    """A page on which any uncaught error, or anything the content policy blocks, fails the test."""
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda line: wrong.append(line.text) if "Content Security Policy" in line.text else None)
    yield page
    assert wrong == []


@pytest.fixture(scope="module")
def hospital(tmp_path_factory):
    """A hospital with its desk open on a Monday morning, for the tests of one file."""
    with pytest.MonkeyPatch.context() as patch:
        build(patch, tmp_path_factory.mktemp("desk"))
        hospital = House()
        hospital.start()
        yield hospital
        hospital.close()
    settings.cache_clear()


@pytest.fixture
def seat(hospital, chromium):
    """Give seat(number): somebody of the staff at his desk; all leave at the end, and no page may have failed."""
    expect.set_options(timeout=PATIENCE)
    seats = []

    def sit(number: str = "1001", size: dict | None = None) -> Seat:
        seats.append(Seat(chromium, hospital.address, number, size))
        return seats[-1]

    yield sit
    expect.set_options(timeout=5000)
    for one in seats:
        one.close()
