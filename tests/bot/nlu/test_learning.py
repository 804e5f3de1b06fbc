"""The two learners on a few lines: they learn, they forgive homophones, they come back from disk the same."""

import numpy as np
import pytest
from ruamel.yaml import YAML
from scipy import sparse

from bot.nlu.files import ROOT
from bot.nlu.head import HeadSettings, IntentHead, folds_of
from bot.nlu.homophones import Corrector
from bot.nlu.line import read_line
from bot.nlu.merge import merged
from bot.nlu.neighbours import COUNT, MASKED, SHARPNESS, Neighbours
from bot.nlu.softmax import fit_softmax
from bot.nlu.tagger import CharTagger, Span, labels, spans_of

INTENTS = {
    "book_appointment": [
        "我要预约心内科",
        "预约骨科明天的号",
        "帮我预约儿科",
        "想预约妇科门诊",
        "预约一个号",
        "约骨科",
    ],
    "query_price": ["核磁多少钱", "血常规多少钱", "做个ct多少钱", "拍片子什么价钱", "多少钱一次", "价格是多少"],
    "faq/parking": ["停车在哪", "停车场怎么走", "车停哪里", "有没有停车位", "停车方便吗", "地下停车场"],
    "faq/wifi": ["有无线网吗", "网络密码是什么", "wifi怎么连", "连不上wifi", "无线网叫什么", "wifi密码"],
}
MARKED = [
    ("我想挂(心内科|department)(明天|date)的号", "预约(骨科|department)(后天|date)", "(明天|date)去(儿科|department)"),
    ("(心内科|department)还有号吗", "(后天|date)能来吗", "帮我挂(妇科|department)", "多少钱", "停车在哪里"),
    ("(大后天|date)有号没", "(今天|date)去(骨科|department)看看", "(骨科|department)(今天|date)", "你好"),
]
ROLES = ("医生", "护士", "保安")


@pytest.fixture(scope="module")
def head(lexicon, letters):
    pairs = [(text, label) for label, texts in INTENTS.items() for text in texts]
    lines = [read_line(text, lexicon) for text, _ in pairs]
    return IntentHead.train(lines, [label for _, label in pairs], letters, ["预约", "停车场"], HeadSettings(at_least=2))


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("预约明天的骨科", "book_appointment"),
        ("請問核磁要多少錢", "query_price"),
        ("ＷＩＦＩ密码", "faq/wifi"),
        ("停车位在哪儿", "faq/parking"),
    ],
)
def test_new_lines_get_their_label(head, lexicon, letters, text, label):
    ranking = head.rank(read_line(text, lexicon), letters)
    assert ranking[0][0] == label
    assert sum(confidence for _, confidence in ranking) == pytest.approx(1.0, abs=1e-4)
    assert {name for name, _ in ranking} == set(INTENTS)


def test_what_was_taught_word_for_word_is_read_as_taught(lexicon, letters):
    lines = [
        ("停车在哪", "faq/parking"),
        ("停车场怎么走", "faq/parking"),
        ("连不上网", "faq/wifi"),
        ("四个轮子搁哪儿", "faq/wifi"),
    ]
    head = IntentHead.train(
        [read_line(text, lexicon) for text, _ in lines],
        [label for _, label in lines],
        letters,
        [],
        HeadSettings(at_least=1),
    )
    label, confidence = head.rank(read_line("四个轮子搁哪儿", lexicon), letters)[0]
    assert label == "faq/wifi"
    assert confidence >= 0.97


def test_a_homophone_slip_keeps_its_label(head, lexicon, letters):
    assert head.rank(read_line("帮我预越骨科", lexicon), letters)[0][0] == "book_appointment"


def test_a_text_without_characters_favours_no_label(head, lexicon, letters):
    assert {confidence for _, confidence in head.rank(read_line(" \x00", lexicon), letters)} == {0.25}


def test_a_head_comes_back_from_disk_the_same(head, lexicon, letters, tmp_path):
    head.save(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".npz"}
    again = IntentHead.load(tmp_path)
    line = read_line("预约儿科要多少钱", lexicon)
    ours, theirs = head.rank(line, letters), again.rank(line, letters)
    assert [name for name, _ in ours] == [name for name, _ in theirs]
    assert [c for _, c in ours] == pytest.approx([c for _, c in theirs], abs=1e-3)


def test_two_trainings_give_the_same_head(head, lexicon, letters):
    pairs = [(text, label) for label, texts in INTENTS.items() for text in texts]
    lines = [read_line(text, lexicon) for text, _ in pairs]
    again = IntentHead.train(
        lines, [label for _, label in pairs], letters, ["预约", "停车场"], HeadSettings(at_least=2)
    )
    assert np.array_equal(head.fitted.dense, again.fitted.dense)
    assert np.array_equal(head.fitted.neighbours.coarse, again.fitted.neighbours.coarse)


def test_logistic_regression_finds_the_known_optimum():
    chance = np.random.RandomState(0)
    x = chance.normal(size=(60, 5)).astype(np.float32)
    y = (x[:, 0] + 0.3 * x[:, 1] > 0).astype(int)
    dense, thin, bias = fit_softmax(x[:, :2], sparse.csr_matrix(x[:, 2:]), y, 2, 1.0, 300)
    from sklearn.linear_model import LogisticRegression

    known = LogisticRegression(C=1.0, multi_class="multinomial", tol=1e-8, max_iter=1000).fit(x, y)
    ours = np.concatenate([dense, thin])
    assert np.allclose(ours[:, 1] - ours[:, 0], 2 * known.coef_[0], atol=0.05)
    assert bias[1] - bias[0] == pytest.approx(2 * known.intercept_[0], abs=0.05)


def test_the_nearest_lines_vote_as_if_all_had_been_compared_in_full():
    chance, lines, classes, count = np.random.RandomState(5), 2000, 40, 40
    centres = chance.randn(classes, 384) * np.linspace(3.0, 0.2, 384)  # as sentence vectors: few axes say most
    given = np.arange(lines) % classes
    vectors = centres[given] + chance.randn(lines, 384) * np.linspace(2.0, 0.2, 384)
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    masked = sparse.random(lines, 50, 0.05, format="csr", random_state=chance, dtype=np.float32)
    known = Neighbours.of(vectors[100:], masked[100:], given[100:], count)
    for number in range(100):
        row = masked[number]
        near = vectors[100:] @ vectors[number] + MASKED * (masked[100:] @ row.T).toarray().ravel()
        best = np.argsort(-near)[:COUNT]
        shares = np.bincount(given[100:][best], np.exp(SHARPNESS * near[best]), minlength=count)
        votes = known.votes(vectors[number], row.indices.tolist(), row.data.tolist())
        assert np.abs(votes - shares / shares.sum()).max() < 0.02


def test_folds_spread_every_class():
    classes = np.repeat([0, 1], [9, 6])
    fold = folds_of(classes, 3)
    assert [np.bincount(fold[classes == k]).tolist() for k in (0, 1)] == [[3, 3, 3], [2, 2, 2]]


@pytest.mark.parametrize(("slip", "meant"), [("我要预越", "我要预约"), ("住愿费用", "住院费用"), ("预约吧", "预约吧")])
def test_the_corrector_puts_words_of_the_trade_in_the_place_of_their_sound(slip, meant, lexicon):
    line = read_line(slip, lexicon)
    assert Corrector(["预约", "住院"]).correct(line.text, line.syllables, line.words) == meant


def test_a_real_word_is_not_corrected(lexicon):
    line = read_line("这个药有用吗", lexicon)
    assert Corrector(["油用"]).correct(line.text, line.syllables, line.words) == line.text


def marked(text, lexicon):
    """Read (words|kind) marks into a line and its spans."""
    plain, spans = "", []
    for part in text.replace(")", "(").split("("):
        words, _, kind = part.partition("|")
        if kind:
            spans.append(Span(kind, len(plain), len(plain) + len(words)))
        plain += words
    return read_line(plain, lexicon), spans


@pytest.fixture(scope="module")
def tagger(lexicon, tmp_path_factory):
    pairs = [("book_appointment", text) for group in MARKED for text in group]
    pairs += [("complaint", f"({text}|staff){rest}") for text in ROLES for rest in ("很凶", "骂人")]
    pairs += [("faq", f"{text}{rest}") for text in ROLES for rest in ("几点上班", "在哪")]
    lines, spans = zip(*(marked(text, lexicon) for _, text in pairs), strict=True)
    path = tmp_path_factory.mktemp("field") / "entities.crfsuite"
    CharTagger.train(lines, [intent for intent, _ in pairs], spans, path, iterations=50)
    return CharTagger(path)


def test_entities_come_back_in_the_text_as_typed(tagger, lexicon):
    line = read_line("😀請幫我掛兒科，明天", lexicon)
    spans = tagger.read(line, "book_appointment")
    found = [(span.entity, line.typed[slice(*line.normal.as_typed(span.start, span.end))]) for span in spans]
    assert found == [("department", "兒科"), ("date", "明天")]


def test_the_intent_is_read_before_the_entities():
    pipeline = YAML(typ="safe").load((ROOT / "config.yml").read_text(encoding="utf-8"))["pipeline"]
    names = [entry["name"].rpartition(".")[2] for entry in pipeline]
    assert names.index("RobustIntentClassifier") < names.index("ZhCharCrf")


@pytest.mark.parametrize(("intent", "found"), [("complaint", [("staff", 0, 2)]), ("faq", [])])
def test_whom_a_line_names_depends_on_what_it_wants(tagger, lexicon, intent, found):
    read = tagger.read(read_line("医生不理我", lexicon), intent)
    assert [(span.entity, span.start, span.end) for span in read] == found


def test_confidence_is_a_probability_and_an_empty_line_has_no_entity(tagger, lexicon):
    assert all(0.0 < span.confidence <= 1.0 for span in tagger.read(read_line("明天骨科", lexicon), "inform"))
    assert tagger.read(read_line("", lexicon), "inform") == []


def test_of_overlapping_marks_the_longer_one_counts():
    given = labels(4, [Span("date", 0, 2), Span("period", 1, 4)])
    assert spans_of(given) == [("period", 1, 4)]


def test_numbers_go_first_then_the_field_then_known_words_of_closed_kinds(lexicon):
    line = read_line("13800000001骨科居民医保核磁", lexicon)
    found = [Span("date", 0, 4), Span("department", 11, 13)]
    entities = [(span.entity, source) for span, source in merged(line, found, ["department", "insurance_type"])]
    assert entities == [("phone", "form"), ("department", "field"), ("insurance_type", "lexicon")]


@pytest.mark.parametrize(
    ("text", "sums"), [("花了三万二", ["三万二"]), ("收我15块", ["15块"]), ("能一块吃吗,三万人", [])]
)
def test_a_clear_sum_needs_no_field(lexicon, text, sums):
    found = [span for span, _ in merged(read_line(text, lexicon), [], []) if span.entity == "amount"]
    assert [text[span.start : span.end] for span in found] == sums


@pytest.mark.parametrize(("text", "found"), [("近视300度", []), ("花了300", ["300"]), ("花了300人民币", ["300"])])
def test_a_number_that_counts_something_is_no_sum(lexicon, text, found):
    at = text.index("300")
    entities = merged(read_line(text, lexicon), [Span("amount", at, at + 3)], [])
    assert [text[span.start : span.end] for span, _ in entities] == found
