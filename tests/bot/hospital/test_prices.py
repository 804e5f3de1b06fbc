"""The price list as patients ask for it (R95, B2)."""

from decimal import Decimal

from bot.hospital.load import load_hospital
from bot.hospital.model import CATEGORIES
from bot.hospital.prices import category_codes, fee_words, find_items


def test_the_exact_item_comes_first_and_its_relatives_after_it():
    found = find_items("胸部CT")
    assert found[0].name == "胸部CT平扫"
    assert found[0].score == 1.0
    assert [match.score for match in found] == sorted((match.score for match in found), reverse=True)


def test_a_category_gives_its_items():
    items = load_hospital().prices
    found = find_items("床位费")
    assert found
    assert {items[match.code].category for match in found} == {"01"}


def test_a_question_around_the_name_does_not_matter():
    assert find_items("拍个胸片多少钱")[0].name == "胸部X光片"


def test_nothing_is_invented_for_an_unknown_word():
    assert find_items("火箭发射") == []


def test_a_category_word_may_cover_several_classes():
    assert category_codes("药费") == ("09", "10", "11")
    assert category_codes("火箭") == ()


def test_every_word_for_a_fee_is_understood():
    hospital = load_hospital()
    assert [word for word in fee_words(hospital) if not find_items(word)] == []


def test_every_national_class_has_a_name_and_an_item():
    used = {item.category for item in load_hospital().prices.values()}
    assert used == set(CATEGORIES)


def test_the_list_is_as_long_and_priced_as_a_hospital_needs():
    prices = load_hospital().prices
    assert len(prices) >= 160
    assert all(item.price > 0 and item.price.as_tuple().exponent >= -2 for item in prices.values())


def test_registration_costs_what_the_slot_class_says():
    prices = load_hospital().prices
    assert [prices[code].price for code in ("REG001", "REG002", "REG003", "REG004")] == [
        Decimal("15.00"),
        Decimal("30.00"),
        Decimal("50.00"),
        Decimal("200.00"),
    ]


def test_a_dental_implant_is_self_pay_with_alternatives():
    implant = load_hospital().prices["DEN001"]
    assert implant.insurance == "自费"
    assert implant.alternatives
