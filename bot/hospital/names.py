"""What a patient means when he names a department, a doctor or a fee item; the words for the recogniser's lexicon.

Every resolver gives matches best first: one = understood, several = ask back, none = unknown.
"""

import re
from functools import lru_cache

from bot.hospital.load import load_hospital
from bot.hospital.matching import (
    DIALECT,
    EXACT,
    GROUP,
    INSIDE,
    PART,
    SOUND,
    STEM,
    TYPO,
    Entry,
    Index,
    Match,
    fold,
    normalise,
    one_edit,
    sound,
)
from bot.hospital.model import TITLES, Doctor, Hospital
from bot.hospital.prices import fee_words, resolve_fee_item

__all__ = ["Match", "lexicon", "resolve_department", "resolve_doctor", "resolve_fee_item"]

KINDS = ("department", "doctor", "fee_item", "symptom")
_DEPARTMENT_NOISE = re.compile(
    r"(?:那边|的?门诊部?|专科|诊室|科室|的?号|的?医生|的?大夫)+$|^(?:挂|看|约|预约|找|去)(?:个|一下)?"
)
_DEPARTMENT_STEM = re.compile(r"科$")
# Which ranks a spoken title covers. 主任 is said to both grades of 主任医师; the higher one comes first.
_SPOKEN_TITLES = {
    "副主任医师": ("associate_chief",),
    "主任医师": ("chief",),
    "主治医师": ("attending",),
    "主治医生": ("attending",),
    "住院医师": ("resident",),
    "副主任": ("associate_chief",),
    "副教授": ("associate_chief",),
    "主任": ("chief", "associate_chief"),
    "教授": ("chief", "associate_chief"),
    "专家": ("chief", "associate_chief"),
    "主治": ("attending",),
    "zhuren": ("chief", "associate_chief"),
}
_TITLE = re.compile(rf"(?:{'|'.join(_SPOKEN_TITLES)}|医生|大夫|医师|老师|博士|院长|yisheng|daifu)$")
_NICKNAME = re.compile(r"^(?:小|老|阿|姓)(?=.)")
_SEX = re.compile(r"的?(女|男)$")


def resolve_department(span: str, hospital: Hospital | None = None) -> list[Match]:
    """Give the departments that a span may mean; the code is the key of `Hospital.departments`.

    Departments without a clinic (检验科) are found, too: ask `Department.clinic` and `.online` before booking.
    """
    return _departments(hospital or load_hospital()).best(span)


def resolve_doctor(span: str, department: str | None = None, hospital: Hospital | None = None) -> list[Match]:
    """Give the doctors that a span may mean, highest rank first; the code is the key of `Hospital.doctors`.

    `department` (a code or a name) keeps only its doctors. A surname gives everybody who has it: ask back.
    """
    hospital = hospital or load_hospital()
    text = normalise(span)
    if text in hospital.doctors:
        return [Match(text, hospital.doctors[text].name, EXACT)]
    if department is None:
        text, places = _split_department(text, hospital)
    else:
        known = department in hospital.departments
        places = {department} if known else {match.code for match in resolve_department(department, hospital)}
    staff = [doctor for doctor in hospital.doctors.values() if not places or doctor.department in places]
    if department is not None and not places:
        return []
    said = _TITLE.search(text)
    title = said[0] if said and said.start() > 0 else ""
    core = text[: len(text) - len(title)]
    sex = None
    if found := _SEX.search(core):
        rest = core[: found.start()]
        if rest:
            core, sex = rest, {"女": "female", "男": "male"}[found[1]]
    score, doctors = _by_name(core, staff)
    if not doctors and (plain := _NICKNAME.sub("", core)) != core:
        score, doctors = _by_name(plain, staff)
    doctors = [doctor for doctor in doctors if sex in (None, doctor.sex)]
    ranked = [doctor for doctor in doctors if doctor.title in _SPOKEN_TITLES.get(title, TITLES)]
    order = list(TITLES)
    if core.startswith("小"):  # 小张医生 is said of the younger ones
        order.reverse()
    chosen = sorted(ranked or doctors, key=lambda doctor: order.index(doctor.title))
    if title and doctors and not ranked:
        score -= 0.05  # the name fits, the rank does not
    return [Match(doctor.code, doctor.name, round(score, 2)) for doctor in chosen]


def lexicon(kind: str, hospital: Hospital | None = None) -> list[str]:
    """Give the hospital's words of one kind (department, doctor, fee_item, symptom), each once, two characters or more.

    Departments are those with a clinic (guideline: a place without a clinic is no department).
    Raises ValueError for another kind.
    """
    hospital = hospital or load_hospital()
    if kind == "department":
        clinics = (department for department in hospital.departments.values() if department.clinic)
        words = [word for entry in clinics for word in (entry.name, *entry.aliases, *entry.groups)]
    elif kind == "doctor":
        names = [doctor.name for doctor in hospital.doctors.values()]
        surnames = dict.fromkeys(name[0] for name in names)
        called = [f"{surname}{title}" for surname in surnames for title in ("主任", "医生", "大夫", "教授")]
        words = names + called
    elif kind == "fee_item":
        words = fee_words(hospital)
    elif kind == "symptom":
        words = [
            word
            for row in hospital.guide.rows
            for word in (*row.words, *(extra for also in row.also for extra in also))
        ]
    else:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {kind!r}")
    return [word for word in dict.fromkeys(words) if len(word) >= 2]


@lru_cache(maxsize=8)
def _departments(hospital: Hospital) -> Index:
    entries = (
        Entry(entry.code, entry.name, (entry.name, *entry.aliases), entry.groups)
        for entry in hospital.departments.values()
    )
    return Index(entries, _DEPARTMENT_NOISE, _DEPARTMENT_STEM, frozenset({"门诊", "医院", "专家"}))


def _split_department(text: str, hospital: Hospital) -> tuple[str, set[str]]:
    """Cut a leading department off (心内科张主任 → 张主任, {cardiology})."""
    for length in range(len(text) - 1, 1, -1):
        rest = text[length:].removeprefix("的")
        if rest and (found := _departments(hospital).named(text[:length])):
            return rest, {match.code for match in found}
    return text, set()


def _by_name(core: str, staff: list[Doctor]) -> tuple[float, list[Doctor]]:
    """Find doctors by full name, surname, given name, sound or typo: the surest rule that answers."""
    spoken, folded = "".join(sound(core)), fold(sound(core))
    rules = (
        (EXACT, lambda name: name == core),
        (GROUP, lambda name: name[0] == core),
        (STEM, lambda name: len(core) >= 2 and name[1:] == core),
        (INSIDE, lambda name: name in core),
        (PART, lambda name: len(core) >= 2 and name.startswith(core)),
        (SOUND, lambda name: len(core) >= 2 and "".join(sound(name)) == spoken),
        (SOUND, lambda name: len(sound(core)) == 1 and sound(name[0])[0] == spoken),
        (DIALECT, lambda name: fold(sound(name)) == folded),
        (TYPO, lambda name: len(core) >= 3 and sound(name[0]) == sound(core[0]) and one_edit(name, core)),
    )
    for score, fits in rules:
        if found := [doctor for doctor in staff if fits(doctor.name)]:
            return score, found
    return 0.0, []
