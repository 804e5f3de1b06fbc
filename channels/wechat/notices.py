"""Notices outside the 48 hours (模板消息, 订阅通知): what each field may hold is enforced before WeChat refuses it (47003).

A line becomes a notice when its meta has {"notice": {"kind", "facts"}}. Facts are places, times and numbers, never
anything medical: the template names what may stand in it, and the link leads to where the patient signs in.
"""

import re
from dataclasses import dataclass

from bot.errors import DataError

KINDS = ("appointment_reminder", "clinic_stopped", "ticket_progress")
# 类目模板's limits for each kind of field: (what is left out, most characters).
FIELDS = {
    "thing": (r"[\n\r\t]", 20),
    "phrase": (r"[^\u4e00-\u9fff]", 5),
    "character_string": (r"[^\x21-\x7e]", 32),
    "number": (r"[^0-9.]", 32),
    "symbol": (r"[A-Za-z0-9\u4e00-\u9fff\s]", 5),
    "time": (r"[\n\r\t]", 32),
    "date": (r"[\n\r\t]", 32),
    "amount": (r"[\n\r\t]", 10),
    "phone_number": (r"[^0-9+-]", 17),
    "name": (r"[^\u4e00-\u9fffA-Za-z·]", 10),
}
FACTS = ("department", "time", "place", "number", "state", "tip")


@dataclass(frozen=True)
class Notice:
    """One template: `fields` are its keywords with the pattern that fills each."""

    kind: str
    way: str  # template · subscribe
    template_id: str
    fields: dict[str, str]
    url: str

    def body(self, openid: str, facts: dict[str, str]) -> dict:
        """Give what /cgi-bin/message/template/send or /cgi-bin/message/subscribe/bizsend gets. Raises KeyError on a fact."""
        data = {name: {"value": fitted(name, pattern.format(**facts))} for name, pattern in self.fields.items()}
        sent = {"touser": openid, "template_id": self.template_id, "data": data}
        if self.url:
            sent["page" if self.way == "subscribe" else "url"] = self.url
        return sent


def fitted(name: str, value: str) -> str:
    """Give the value as the field `thing4` takes it: what it may not hold left out, cut to its length, never empty."""
    unwanted, most = FIELDS[name.rstrip("0123456789")]
    kept = re.sub(unwanted, "", value).strip()
    if len(kept) > most:
        kept = kept[: most - 1] + "…" if name.startswith("thing") else kept[:most]
    return kept or {"phrase": "已更新", "number": "0", "thing": "请点开查看"}.get(name.rstrip("0123456789"), "-")


def read_notices(given: object, file: str) -> dict[str, Notice]:
    """Read {kind: {way, template_id, fields, url}}; one without template_id is off. Raises DataError naming the field."""
    if not isinstance(given, dict) or not set(given) <= set(KINDS):
        raise DataError(f"{file}: notices may be {', '.join(KINDS)}")
    found = {}
    for kind, one in given.items():
        if not one.get("template_id"):
            continue
        if one.get("way") not in ("template", "subscribe"):
            raise DataError(f"{file}: notices.{kind}.way must be template or subscribe")
        fields = one.get("fields") or {}
        for name, pattern in fields.items():
            if name.rstrip("0123456789") not in FIELDS:
                raise DataError(f"{file}: notices.{kind}: {name} is no field that WeChat knows")
            if not set(re.findall(r"\{(\w+)\}", str(pattern))) <= set(FACTS):
                raise DataError(f"{file}: notices.{kind}.{name} may use {', '.join(FACTS)}")
        patterns = {name: str(pattern) for name, pattern in fields.items()}
        found[kind] = Notice(kind, one["way"], str(one["template_id"]), patterns, str(one.get("url") or ""))
    return found
