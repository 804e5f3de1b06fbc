"""What tests of pages share: Debian's Chromium, and short words for what a patient does."""

from playwright.sync_api import Page, expect

from bot.settings import ROOT

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
]
OUTPUT = ROOT / "tests/output"


def open_chat(page: Page, url: str) -> None:
    """Open the hospital's page and wait until the chat greets."""
    page.goto(url)
    expect(page.locator(".welcome .bubble")).to_contain_text("请问有什么可以帮到您")


def write(page: Page, text: str) -> None:
    """Type a message and send it with Enter."""
    box = page.get_by_role("textbox")
    box.fill(text)
    box.press("Enter")


def token_of(page: Page) -> str:
    """Give the session that the browser keeps."""
    return page.evaluate("JSON.parse(localStorage.getItem('daoyi-chat:session')).token")


def bubbles(page: Page, sender: str) -> list[str]:
    """Give the exact texts that stand in the bubbles of one sender."""
    return page.evaluate(
        """sender => Array.from(document.querySelector('daoyi-chat').shadowRoot
            .querySelectorAll('.line.' + sender + ':not(.welcome) .bubble:not(.dots)'), node => node.textContent)""",
        sender,
    )


def picture(page: Page, name: str) -> None:
    """Leave a screenshot in tests/output/ for people to look at."""
    OUTPUT.mkdir(exist_ok=True)
    page.screenshot(path=OUTPUT / f"{name}.png")
