"""What tests of the desk share: a browser for each member of the staff, axe, pictures for the guide."""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.bot.desk.house import PASSWORDS
from tests.pages.browser import OUTPUT

WIDE, PHONE = {"width": 1440, "height": 900}, {"width": 375, "height": 740}
PATIENCE = 20_000  # milliseconds; the machine may be busy


class Seat:
    """A browser in which one member of the staff has signed in. `close` fails when a script or the policy was broken."""

    def __init__(self, chromium: Browser, address: str, number: str, size: dict | None = None) -> None:
        size = size or WIDE
        touch = size["width"] < 700
        self.context = chromium.new_context(viewport=size, locale="zh-CN", timezone_id="Asia/Shanghai", has_touch=touch)
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.address = address
        self._faults: list[str] = []
        self.page.on("pageerror", lambda error: self._faults.append(str(error)))
        self.page.on(
            "console", lambda line: self._faults.append(line.text) if "Content Security Policy" in line.text else None
        )
        self.page.goto(f"{address}/desk")
        self.page.get_by_label("工号").fill(number)
        self.page.get_by_label("密码").fill(PASSWORDS[number])
        self.page.get_by_role("button", name="登录").click()
        expect(self.page.locator("#desk")).to_be_visible()
        expect(self.page.locator("#rail, #place h2").first).to_be_visible()

    def close(self) -> None:
        self.context.close()
        assert not self._faults, self._faults

    def go(self, place: str) -> None:
        """Open a page of the rail."""
        self.page.locator(f"#rail [data-place={place}]").click()
        expect(self.page.locator("#place h2").first).to_be_visible()

    def shot(self, name: str) -> None:
        """Leave a picture in tests/output/ for people and for docs/guides/agent.md."""
        OUTPUT.mkdir(exist_ok=True)
        self.page.screenshot(path=OUTPUT / f"desk-{name}.png")

    def sound(self) -> list:
        """Give what axe finds: nothing. Nor may a page be wider than its window."""
        found = Axe().run(self.page).response["violations"]
        faults = [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in found]
        if self.page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            faults.append(("wider than the window", []))
        return faults

    def dialog(self, title: str):
        """Give the open dialog."""
        box = self.page.get_by_role("dialog", name=title)
        expect(box).to_be_visible()
        return box

    def take_next(self) -> None:
        """Take whoever waits first."""
        self.page.locator("#tab-queue").click()
        self.page.locator("#take-next").click()
        expect(self.page.locator("#chat-state")).to_contain_text("由您接待")

    def says(self, text: str) -> None:
        """Send an answer and wait until it stands in the talk."""
        said = self.page.locator(".said.agent:not(.pending)")
        count = said.count()
        self.page.locator("#draft").fill(text)
        self.page.locator("#draft").press("Enter")
        expect(said).to_have_count(count + 1)
