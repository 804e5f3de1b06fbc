"""Plan files as rules: dated, reviewed, complete, and refused with the file and the field when malformed."""

from datetime import date
from pathlib import Path

import pytest
import yaml

from bot.errors import DataError
from bot.insurance.model import SCHEMES, SETTINGS, ExpiredPlan, NoPlan
from bot.insurance.plans import PLANS, find_plan, load_plans, scheme_of

FIXTURES = Path(__file__).with_name("plans")
GOOD = yaml.safe_load((PLANS / "shifan_2026_employee_inpatient.yml").read_text(encoding="utf-8"))


def folder_with(tmp_path, name="broken.yml", **changes):
    raw = {key: value for key, value in (GOOD | changes).items() if value is not None}
    (tmp_path / name).write_text(yaml.safe_dump(raw, allow_unicode=True), encoding="utf-8")
    return tmp_path


def bands(*rows):
    return [{"bands": [dict(zip(("from", "to", "rate"), row, strict=True)) for row in rows]}]


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("day", [date(2026, 1, 1), date(2027, 12, 31)])
def test_the_sample_city_has_every_scheme_and_setting_while_the_demo_runs(scheme, setting, day):
    plan = find_plan("示范市", scheme, setting, day)
    assert (plan.scheme, plan.setting) == (scheme, setting)
    assert "虚构" in plan.source


def test_every_plan_names_its_source_and_reviewer():
    assert all(plan.source and plan.reviewer for plan in (*load_plans(), *load_plans(FIXTURES)))


def test_an_expired_plan_gives_no_number_but_says_where_to_ask():
    with pytest.raises(ExpiredPlan) as refused:
        find_plan("示范市", "employee", "inpatient", date(2028, 1, 1))
    assert "0550-8800222" in refused.value.ask


@pytest.mark.parametrize(
    ("city", "scheme", "on"),
    [
        ("示范市", "retired_cadre", date(2026, 5, 1)),
        ("未知市", "employee", date(2026, 5, 1)),
        ("示范市", "employee", date(2025, 12, 31)),
    ],
)
def test_without_a_plan_there_is_no_number_but_a_place_to_ask(city, scheme, on):
    with pytest.raises(NoPlan) as refused:
        find_plan(city, scheme, "inpatient", on)
    assert "12393" in refused.value.ask


@pytest.mark.parametrize("old", ["新农合", "城镇居民", "new_rural", "urban_resident"])
def test_an_old_scheme_becomes_the_resident_scheme_with_a_notice(old):
    scheme, notice = scheme_of(old)
    assert scheme == "resident"
    assert "已并入城乡居民医保" in notice
    assert find_plan("示范市", old, "inpatient", date(2026, 5, 1)).scheme == "resident"


def test_a_present_scheme_needs_no_notice():
    assert scheme_of("职工医保") == ("employee", None)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"source": None}, "source is missing"),
        ({"reviewer": ""}, "reviewer is missing"),
        ({"scheme": "farmers"}, "scheme is 'farmers'"),
        ({"basis": "total"}, "basis is 'total'"),
        ({"valid_from": "yesterday"}, "valid_from must be a day"),
        ({"valid_to": date(2025, 1, 1)}, "valid_to lies before valid_from"),
        ({"class_b_share": "110%"}, "class_b_share is 110%"),
        ({"class_b_share": 0.1}, "class_b_share must be written as a percentage"),
        ({"rates": bands((0, None, "101%"))}, "a rate is at most 100%"),
        ({"rates": bands((0, 30000, "85%"), (20000, None, "90%"))}, "rates.bands overlap"),
        ({"rates": bands((0, None, "85%"), (20000, None, "90%"))}, "rates.bands overlap"),
        ({"rates": bands((0, 30000, "85%"), (40000, None, "90%"))}, "rates.bands leave a gap"),
        ({"rates": bands((0, 0, "85%"), (0, None, "90%"))}, "is no band"),
        ({"rates": bands((100, None, "85%"))}, "must begin at 0"),
        ({"rates": bands((0, 30000, "85%"))}, "leave `to` out of the last band"),
        ({"rates": bands((0, None, "-5%"))}, "must be at least 0"),
        ({"rates": bands((0, None, "85%")) * 2}, "two rows for the same patient"),
        ({"rates": [{"level": ["quaternary"], "bands": [{"from": 0, "rate": "85%"}]}]}, "rates.level is 'quaternary'"),
        ({"rates": [{"level": ["primary"]}]}, "rates.bands is missing"),
        ({"deductibles": [{"first": "many"}]}, "deductibles.first must be an amount"),
        ({"caps": [{"yuan": -1}]}, "caps.yuan must be at least 0"),
    ],
)
def test_a_malformed_plan_is_refused_with_file_and_field(tmp_path, changes, says):
    with pytest.raises(DataError) as refused:
        load_plans(folder_with(tmp_path, **changes))
    assert "broken.yml" in str(refused.value)
    assert says in str(refused.value)


def test_two_plans_may_not_hold_on_the_same_day(tmp_path):
    folder_with(tmp_path, "a.yml")
    folder_with(tmp_path, "b.yml", valid_from=date(2027, 7, 1), valid_to=date(2028, 6, 30))
    with pytest.raises(DataError, match=r"overlaps a\.yml"):
        load_plans(tmp_path)


def test_a_new_plan_takes_over_on_its_first_day(tmp_path):
    folder_with(tmp_path, "a.yml", valid_to=date(2026, 6, 30))
    folder_with(tmp_path, "b.yml", valid_from=date(2026, 7, 1), deductibles=[{"first": 500}])
    before, after = (
        find_plan("示范市", "employee", "inpatient", date(2026, *day), tmp_path) for day in ((6, 30), (7, 1))
    )
    assert (before.deductibles[0].first, after.deductibles[0].first) == (300, 500)
