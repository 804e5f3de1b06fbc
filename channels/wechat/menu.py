"""The account's menu (自定义菜单): at most three entries of five, each a sentence said for the patient, a page or a deed.

Enabling the server configuration switches the console's own menu off: ours is made by `daoyi wechat menu`.
"""

from dataclasses import dataclass

from bot.errors import DataError

DEEDS = ("persons", "bind")  # what the channel itself does (channels/wechat/persons.py)
NAME_BYTES = {1: 16, 2: 60}  # WeChat's limits: four Chinese characters on top, eight below are safe


@dataclass(frozen=True)
class Menu:
    """`buttons` is what /cgi-bin/menu/create gets; `says` gives the sentence of each key."""

    buttons: list[dict]
    says: dict[str, str]

    def sentence(self, key: str) -> str | None:
        """Give what a tap says for the patient, None for a key that says nothing."""
        return self.says.get(key)


def read_menu(given: object, file: str) -> Menu:
    """Read [{name, key, says} | {name, do} | {name, url} | {name, entries: […]}]. Raises DataError naming the entry."""
    if not isinstance(given, list) or not 1 <= len(given) <= 3:
        raise DataError(f"{file}: menu needs one to three entries")
    says: dict[str, str] = {}
    buttons = []
    for entry in given:
        below = entry.get("entries") if isinstance(entry, dict) else None
        if below is None:
            buttons.append(_button(entry, 1, says, file))
            continue
        if not isinstance(below, list) or not 1 <= len(below) <= 5:
            raise DataError(f"{file}: menu entry {entry.get('name')!r} needs one to five entries below it")
        name = _name(entry, 1, file)
        buttons.append({"name": name, "sub_button": [_button(each, 2, says, file) for each in below]})
    return Menu(buttons, says)


def _button(entry: object, level: int, says: dict[str, str], file: str) -> dict:
    name = _name(entry, level, file)
    if "url" in entry:
        return {"name": name, "type": "view", "url": str(entry["url"])}
    if entry.get("do") in DEEDS:
        return {"name": name, "type": "click", "key": f"do:{entry['do']}"}
    key, sentence = str(entry.get("key") or ""), str(entry.get("says") or "").strip()
    if not key or len(key) > 64 or not sentence or key in says:
        raise DataError(f"{file}: menu entry {name!r} needs its own key and says, or url, or do: {' | '.join(DEEDS)}")
    says[key] = sentence
    return {"name": name, "type": "click", "key": f"say:{key}"}


def _name(entry: object, level: int, file: str) -> str:
    name = str(entry.get("name") or "").strip() if isinstance(entry, dict) else ""
    if not name or len(name.encode()) > NAME_BYTES[level]:
        raise DataError(f"{file}: a menu name has 1 to {NAME_BYTES[level]} bytes, not {name!r}")
    return name
