"""A term of the trade is explained once (R20)."""

import pytest

from bot.language.lint import lint
from bot.language.plain import explain_terms, find_terms, terms


def test_a_term_gets_its_gloss_at_its_first_use_only():
    text, known = explain_terms("起付线是1300元，起付线每年算一次。", set())
    gloss = terms()["起付线"]
    assert text == f"起付线（{gloss}）是1300元，起付线每年算一次。"
    assert known == {"起付线"}


def test_a_term_known_from_earlier_stays_as_it_is():
    assert explain_terms("起付线是1300元。", {"起付线"}) == ("起付线是1300元。", {"起付线"})


@pytest.mark.parametrize("term", list(terms()))
def test_explaining_twice_changes_nothing(term):
    once, _ = explain_terms(f"请看{term}的说明（含{term}）。", set())
    assert explain_terms(once, set())[0] == once


def test_the_callers_set_is_not_touched():
    known: set[str] = set()
    explain_terms("候补成功。", known)
    assert known == set()


def test_the_longest_term_wins():
    assert [each.term for each in find_terms("由统筹基金支付")] == ["统筹基金"]


def test_a_bracket_with_only_a_number_explains_nothing():
    assert explain_terms("起付线（1300元）", set())[0] == f"起付线（{terms()['起付线']}）（1300元）"


def test_a_term_that_the_text_explains_itself_needs_no_gloss():
    assert explain_terms("候补，也就是先排队。", set()) == ("候补，也就是先排队。", {"候补"})


def test_a_term_inside_brackets_is_explained_without_brackets_in_brackets():
    assert explain_terms("住院费（含统筹支付）", set())[0] == f"住院费（含统筹支付〔{terms()['统筹支付']}〕）"


def test_the_patients_own_words_get_no_gloss():
    assert explain_terms("您问「起付线是多少」，对吗？", set())[0] == "您问「起付线是多少」，对吗？"


@pytest.mark.parametrize(("term", "gloss"), terms().items())
def test_a_gloss_is_short_plain_and_obeys_the_language_rules(term, gloss):
    assert len(gloss) <= 30
    assert list(find_terms(gloss)) == []
    assert lint(explain_terms(term, set())[0]) == []
