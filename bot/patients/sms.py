"""Sending an SMS: an HTTP gateway by one setting. The demo has none: the code is shown in the chat instead."""

import json
import urllib.error
import urllib.request

from bot.errors import DaoyiError
from bot.settings import settings

SECONDS = 5


class SmsFailed(DaoyiError):
    """The gateway did not take the message; nothing of it stands in the text."""


def send(phone: str, text: str) -> None:
    """Hand a text to the gateway of the setting `sms_url`. Raises SmsFailed when it is not taken or not set."""
    address = settings().sms_url
    if not address:
        raise SmsFailed("no SMS gateway is set (DAOYI_SMS_URL)")
    body = json.dumps({"phone": phone, "text": text}, ensure_ascii=False).encode()
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            if answer.status >= 300:
                raise SmsFailed(f"the SMS gateway answered {answer.status}")
    except (urllib.error.URLError, TimeoutError) as error:
        raise SmsFailed("the SMS gateway could not be reached") from error
