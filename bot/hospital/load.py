"""Loads a hospital's data folder: everything is checked once, then read-only.

`load_hospital()` is the one entry. A clerk's mistake raises DataError with file, row and remedy; nothing is guessed.
"""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from bot.errors import DataError
from bot.hospital.load_guide import load_guide
from bot.hospital.load_records import load_exams, load_lines, load_patients, load_stays, load_visits
from bot.hospital.model import (
    CATEGORIES,
    PERIODS,
    SLOT_CLASSES,
    TITLES,
    Department,
    Doctor,
    Hospital,
    HospitalInfo,
    LockerRule,
    PriceItem,
    Service,
    Session,
    Stop,
)
from bot.hospital.tables import Row, opening, read_csv, read_yaml, yaml_rows
from bot.settings import settings

DEPARTMENT_COLUMNS = "code name aliases groups building floor treats clinic online sex age_from age_to phone".split()
DOCTOR_COLUMNS = "code name sex title department speciality intro photo".split()
SESSION_COLUMNS = "doctor weekday period slot_class quota room fee_item full".split()
STOP_COLUMNS = "doctor first last period reason substitute".split()
PRICE_COLUMNS = (
    "code name aliases groups unit price category insurance pay_first limit valid_from alternatives note".split()
)


def load_hospital(folder: Path | None = None) -> Hospital:
    """Give the hospital whose files lie in `folder` (default: the setting `hospital`), cached per folder.

    Raises DataError naming file, row and remedy when a value cannot be used.
    """
    return _load(Path(folder if folder is not None else settings().hospital).resolve())


@lru_cache(maxsize=8)
def _load(folder: Path) -> Hospital:
    info = _info(folder)
    departments = _departments(folder)
    for code in info.booking.get("no_online_departments") or ():
        if code not in departments or departments[code].online:
            problem = f"{code!r} is not an offline department of departments.csv"
            raise DataError(f"hospital.yml, booking, no_online_departments: {problem}. Set online to no there, too.")
    doctors = _doctors(folder, departments)
    prices = _prices(folder)
    lines = load_lines(folder, prices)
    patients = load_patients(folder)
    stays = load_stays(folder, patients, departments, doctors, lines)
    visits = load_visits(folder, patients, departments, doctors, lines)
    if orphans := lines.keys() - stays.keys() - visits.keys():
        remedy = "Add it to stays.csv or visits.csv."
        raise DataError(f"bill_lines.csv: no stay or visit has the code {min(orphans)!r}. {remedy}")
    if twice := stays.keys() & visits.keys():
        raise DataError(f"visits.csv: the code {min(twice)!r} is also in stays.csv. Give each its own code.")
    services, locker_rules = _catalogue(folder, info, prices)
    return Hospital(
        info=info,
        departments=departments,
        doctors=doctors,
        sessions=_sessions(folder, doctors, departments, prices),
        stops=_stops(folder, doctors),
        prices=prices,
        services=services,
        locker_rules=locker_rules,
        guide=load_guide(folder, departments),
        patients=patients,
        stays=stays,
        visits=visits,
        exams=load_exams(folder, patients, prices),
    )


def _info(folder: Path) -> HospitalInfo:
    file = "hospital.yml"
    row = Row(file, read_yaml(folder, file))
    hours = row.table("hours")
    phones = Row(f"{file}, phones", dict(row.table("phones")))
    for needed in ("outpatient", "emergency", "front_desk", "agents"):
        if needed not in hours:
            raise row.fail("hours", f"the place {needed!r} is missing", "Copy its line from the sample folder.")
    return HospitalInfo(
        name=row.text("name"),
        full_name=row.text("full_name"),
        level=row.choice("level", ("primary", "secondary", "tertiary")),
        service_name=row.text("service_name"),
        reviewed_by=row.text("reviewed_by"),
        valid_to=row.date("valid_to"),
        address=row.text("address"),
        transit=row.text("transit"),
        site=row.text("site"),
        phones=MappingProxyType({name: phones.text(name) for name in phones.cells}),
        hours=MappingProxyType(
            {
                place: opening(Row(f"{file}, hours, {place}", entry if isinstance(entry, dict) else {}))
                for place, entry in hours.items()
            }
        ),
        booking=row.table("booking"),
        identity=row.table("identity"),
        complaints=row.table("complaints"),
    )


def _departments(folder: Path) -> MappingProxyType:
    file, found, owners = "departments.csv", {}, {}
    for row in read_csv(folder, file, DEPARTMENT_COLUMNS):
        department = Department(
            code=unique(row, "code", found, file),
            name=row.text("name"),
            aliases=row.many("aliases"),
            groups=row.many("groups"),
            building=row.text("building"),
            floor=row.text("floor"),
            treats=row.text("treats"),
            clinic=row.yes("clinic"),
            online=row.yes("online"),
            sex=row.choice("sex", ("female", "male")) if row.optional("sex") else None,
            age_from=row.whole("age_from", 0, 150),
            age_to=row.whole("age_to", 0, 150),
            phone=row.text("phone"),
        )
        if department.online and not department.clinic:
            raise row.fail("online", "a department without a clinic cannot be booked online", "Write no.")
        claim(row, department.code, (department.name, *department.aliases), owners)
        found[department.code] = department
    check_groups(file, found.values(), owners)
    return MappingProxyType(found)


def _doctors(folder: Path, departments: MappingProxyType) -> MappingProxyType:
    file, found = "doctors.csv", {}
    for row in read_csv(folder, file, DOCTOR_COLUMNS):
        doctor = Doctor(
            code=unique(row, "code", found, file),
            name=row.text("name"),
            sex=row.choice("sex", ("male", "female")),
            title=row.choice("title", TITLES),
            department=row.reference("department", departments, "departments.csv"),
            speciality=row.text("speciality"),
            intro=row.text("intro"),
            photo=row.optional("photo") or None,
        )
        if doctor.photo and not (folder / "photos" / doctor.photo).is_file():
            raise row.fail("photo", f"photos/{doctor.photo} does not exist", "Add the picture or leave the cell empty.")
        found[doctor.code] = doctor
    return MappingProxyType(found)


def _sessions(folder: Path, doctors, departments, prices) -> tuple[Session, ...]:
    file, found, taken = "schedule.csv", [], set()
    for row in read_csv(folder, file, SESSION_COLUMNS):
        doctor = doctors[row.reference("doctor", doctors, "doctors.csv")]
        if not departments[doctor.department].clinic:
            raise row.fail(
                "doctor", f"{doctor.name}'s department has no clinic", "Remove the row or correct the doctor."
            )
        session = Session(
            doctor=doctor.code,
            department=doctor.department,
            weekday=row.whole("weekday", 1, 7),
            period=row.choice("period", PERIODS),
            slot_class=row.choice("slot_class", SLOT_CLASSES),
            quota=row.whole("quota", 1, 500),
            room=row.text("room"),
            fee_item=row.reference("fee_item", prices, "prices.csv"),
            full=row.yes("full"),
        )
        key = (session.doctor, session.weekday, session.period)
        if key in taken:
            raise row.fail("period", f"{doctor.name} already has a clinic at this time", "Keep one of the two rows.")
        taken.add(key)
        found.append(session)
    return tuple(found)


def _stops(folder: Path, doctors) -> tuple[Stop, ...]:
    found = []
    for row in read_csv(folder, "stops.csv", STOP_COLUMNS):
        stop = Stop(
            doctor=row.reference("doctor", doctors, "doctors.csv"),
            first=row.day("first"),
            last=row.day("last"),
            period=row.choice("period", PERIODS) if row.optional("period") else None,
            reason=row.text("reason"),
            substitute=row.reference("substitute", doctors, "doctors.csv") if row.optional("substitute") else None,
        )
        if stop.substitute and doctors[stop.substitute].department != doctors[stop.doctor].department:
            raise row.fail("substitute", "works in another department", "Name a doctor of the same department.")
        found.append(stop)
    return tuple(found)


def _prices(folder: Path) -> MappingProxyType:
    file, found, owners, wanted = "prices.csv", {}, {}, []
    for row in read_csv(folder, file, PRICE_COLUMNS):
        item = PriceItem(
            code=unique(row, "code", found, file),
            name=row.text("name"),
            aliases=row.many("aliases"),
            groups=row.many("groups"),
            unit=row.text("unit"),
            price=row.amount("price"),
            category=row.choice("category", CATEGORIES),
            insurance=row.choice("insurance", ("甲", "乙", "自费")),
            pay_first=row.share("pay_first"),
            limit=row.amount("limit") if row.optional("limit") else None,
            valid_from=row.date("valid_from"),
            alternatives=row.many("alternatives"),
            note=row.optional("note"),
        )
        if item.pay_first and item.insurance != "乙":
            raise row.fail("pay_first", "only 乙类 items have a share to pay first", "Write 0.")
        claim(row, item.code, (item.name, *item.aliases), owners)
        wanted += [(row, code) for code in item.alternatives]
        found[item.code] = item
    for row, code in wanted:
        if code not in found:
            raise row.fail("alternatives", f"{code!r} is not in {file}", "Use codes of this file, separated by |.")
    check_groups(file, found.values(), owners)
    return MappingProxyType(found)


def _catalogue(folder: Path, info: HospitalInfo, prices) -> tuple[MappingProxyType, tuple[LockerRule, ...]]:
    file, found = "catalogue.yml", {}
    data = read_yaml(folder, file)
    for row in yaml_rows(file, data, "services"):
        service = Service(
            code=unique(row, "code", found, file),
            name=row.text("name"),
            aliases=row.many("aliases"),
            paid=row.yes("paid"),
            price_item=row.reference("price_item", prices, "prices.csv") if row.optional("price_item") else None,
            deposit=row.amount("deposit") if row.optional("deposit") else None,
            place=row.text("place"),
            hours=row.reference("hours", info.hours, "hospital.yml (hours)"),
            how=row.text("how"),
            faq=row.optional("faq") or None,
        )
        if service.price_item and not service.paid:
            raise row.fail("price_item", "a free service has a price", "Set paid to yes or remove price_item.")
        found[service.code] = service
    rules: dict[str, LockerRule] = {}
    for row in yaml_rows(file, data, "locker_rules"):
        code = unique(row, "code", rules, file)
        rules[code] = LockerRule(code, row.text("question"), row.text("answer"))
    return MappingProxyType(found), tuple(rules.values())


def unique(row: Row, column: str, known: dict, file: str) -> str:
    """Give a code that no earlier row has."""
    code = row.text(column)
    if code in known:
        raise row.fail(column, f"{code!r} is already used in {file}", "Give each row its own code.")
    return code


def claim(row: Row, code: str, words: Iterable[str], owners: dict[str, str]) -> None:
    """Note whose names these are; a name that two rows share would never be understood."""
    for word in words:
        if owners.setdefault(word.lower(), code) != code:
            remedy = "Let one row keep it, or put it into the groups column of both: then the patient is asked."
            raise row.fail("aliases", f"{word!r} already means {owners[word.lower()]!r}", remedy)


def check_groups(file: str, entries: Iterable[Department | PriceItem], owners: dict[str, str]) -> None:
    """Raise DataError when a shared word is also somebody's own name."""
    for entry in entries:
        for word in entry.groups:
            if word.lower() in owners:
                problem = f"{word!r} in groups is also the name of {owners[word.lower()]!r}"
                raise DataError(f"{file}, {entry.code}, groups: {problem}. Remove one of the two.")
