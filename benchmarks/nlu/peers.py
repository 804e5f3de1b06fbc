"""Daoyi and its peers on the same training lines and the same test lines: `make bench-nlu`, table in benchmarks/results/.

Peers: stock Rasa for Chinese with DIET, a linear SVM on character n-grams, fastText on characters, nlp.js as shipped.
What they need beyond our own packages goes into build/bench/. `--only` picks some; `--epochs` is DIET's.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from bot.nlu.evaluate import SETS, Answer, Case, cases, compare, measure
from bot.nlu.files import BUILD, NLU_DATA, ROOT

FOLDER = BUILD / "bench" / "nlu"
RESULTS = ROOT / "benchmarks" / "results"
Pairs = Sequence[tuple[str, str]]  # text, full label


def training_lines() -> list[tuple[str, str]]:
    """Give the lines of nlu_data/ that all systems learn from."""
    from bot.nlu.crossvalidate import examples

    return [(one.text, one.label) for one in examples()]


def daoyi(train: Pairs, texts: Sequence[str], _epochs: int) -> list[Answer]:
    """Read with the trained model of today's files."""
    from bot.nlu.evaluate import read_all
    from bot.nlu.training import ready_model

    return read_all([Case(text, "", "", None) for text in texts], ready_model())


def svm(train: Pairs, texts: Sequence[str], _epochs: int) -> list[Answer]:
    """Read with tf-idf of character n-grams and a linear SVM."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    model = make_pipeline(TfidfVectorizer(analyzer="char", ngram_range=(1, 4), sublinear_tf=True), LinearSVC(C=0.5))
    model.fit([text for text, _ in train], [label for _, label in train])
    answers = []
    for text in texts:
        began = time.perf_counter()
        scores = model.decision_function([text])[0]
        odds = np.exp(scores - scores.max())
        answers.append(_answer(model.classes_[scores.argmax()], float(odds.max() / odds.sum()), began))
    return answers


_FASTTEXT = """
import json, sys, time, fasttext
given = json.load(open(sys.argv[1], encoding="utf-8"))
def spaced(text): return " ".join(text.replace("\\n", " "))
with open(sys.argv[1] + ".txt", "w", encoding="utf-8") as file:
    file.writelines(f"__label__{label} {spaced(text)}\\n" for text, label in given["train"])
options = dict(epoch=50, lr=0.5, wordNgrams=3, dim=100, minCount=1, thread=2, verbose=0)
model = fasttext.train_supervised(sys.argv[1] + ".txt", **options)
answers = []
for text in given["texts"]:
    began = time.perf_counter()
    labels, odds = model.predict(spaced(text))
    answers.append([labels[0].removeprefix("__label__"), float(odds[0]), (time.perf_counter() - began) * 1000])
print(json.dumps(answers))
"""


def fasttext(train: Pairs, texts: Sequence[str], _epochs: int) -> list[Answer]:
    """Read with fastText on characters and their runs of up to three, in an environment of its own."""
    python = FOLDER / "fasttext" / "bin" / "python"
    if not python.exists():
        uv = str(ROOT / ".uv" / "bin" / "uv")
        subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, str(python.parents[1])], check=True)
        packages = ["fasttext-wheel==0.9.2", "numpy==1.23.5"]
        subprocess.run([uv, "pip", "install", "--quiet", "--python", str(python), *packages], check=True)
    return _asked([str(python), "-W", "ignore", "-c", _FASTTEXT], train, texts)


def nlpjs(train: Pairs, texts: Sequence[str], _epochs: int) -> list[Answer]:
    """Read with nlp.js and its Chinese package, as shipped."""
    folder = FOLDER / "nlpjs"
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "node_modules" / "node-nlp").exists():
        subprocess.run(
            ["npm", "install", "--silent", "--no-audit", "--no-fund", "node-nlp@4.27.0"], cwd=folder, check=True
        )
    script = folder / "peers.js"
    script.write_text(Path(__file__).with_name("peers.js").read_text(encoding="utf-8"), encoding="utf-8")
    return _asked(["node", str(script)], train, texts)


def diet(_train: Pairs, texts: Sequence[str], epochs: int) -> list[Answer]:
    """Read with stock Rasa's Chinese pipeline: JiebaTokenizer, CountVectors, DIET, ResponseSelector (benchmarks/stock)."""
    import yaml

    from benchmarks.stock.project import write_project
    from bot.nlu.quiet import quiet_rasa

    entities = yaml.safe_load((ROOT / "domain.yml").read_text(encoding="utf-8"))["entities"]
    folder = FOLDER / "diet"
    write_project(folder, NLU_DATA, entities, epochs)
    from rasa.core.agent import Agent
    from rasa.model_training import train_nlu

    quiet_rasa()
    model = train_nlu(str(folder / "config.yml"), str(folder / "data"), str(folder / "models"))
    agent, answers = Agent.load(model), []
    for text in texts:
        began = time.perf_counter()
        parsed = asyncio.run(agent.parse_message(text))
        # The first meant label, as for the others; its FallbackClassifier puts nlu_fallback before it.
        top = next(one for one in parsed["intent_ranking"] if one["name"] != "nlu_fallback")
        label, sure = top["name"], top["confidence"]
        chosen = parsed.get("response_selector", {}).get(label, {}).get("response")
        answers.append(_answer(chosen["intent_response_key"] if chosen else label, float(sure), began))
    return answers


SYSTEMS: dict[str, Callable[[Pairs, Sequence[str], int], list[Answer]]] = {
    "daoyi": daoyi,
    "svm": svm,
    "fasttext": fasttext,
    "nlpjs": nlpjs,
    "diet": diet,
}


def _answer(label: str, sure: float, began: float) -> Answer:
    return Answer(label, sure, label, 1.0 - sure, took=(time.perf_counter() - began) * 1000)


def _asked(command: list[str], train: Pairs, texts: Sequence[str]) -> list[Answer]:
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / "given.json"
    path.write_text(json.dumps({"train": list(train), "texts": list(texts)}, ensure_ascii=False), encoding="utf-8")
    said = subprocess.run([*command, str(path)], check=True, capture_output=True, text=True).stdout
    return [
        Answer(label, sure, label, 1.0 - sure, took=took) for label, sure, took in json.loads(said.splitlines()[-1])
    ]


def massive(folder: Path) -> dict[str, float]:
    """Give the accuracy of the intent head, with the product's settings, on MASSIVE zh-CN's dev lines."""
    from bot.nlu.crossvalidate import head_settings
    from bot.nlu.encoder import CachedEncoder, load_encoder
    from bot.nlu.head import IntentHead
    from bot.nlu.lexicon import hospital_lexicon
    from bot.nlu.line import read_line
    from bot.nlu.words import dictionary

    train, dev = (
        [json.loads(line) for line in (folder / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]
        for name in ("train", "dev")
    )
    encoder, lexicon = CachedEncoder(load_encoder(), FOLDER), hospital_lexicon()
    lines = [read_line(one["text"], lexicon) for one in train]
    head = IntentHead.train(lines, [one["label"] for one in train], encoder, dictionary(), head_settings())
    right = [head.rank(read_line(one["text"], lexicon), encoder)[0][0] == one["label"] for one in dev]
    return {"train": len(train), "dev": len(dev), "accuracy": round(float(np.mean(right)), 4)}


def table(results: dict[str, dict], lines: int, training: int) -> str:
    """Give the results as a Markdown table."""
    rows = [
        f"| {name} | {r['accuracy']:.4f} | {r['macro_f1']:.4f} | {1 - r['accuracy']:.4f} | {r['out_of_scope_auroc']:.3f} | "
        f"{r['seconds']:.0f} | {r['p50_ms']:.1f} |"
        for name, r in results.items()
    ]
    return "\n".join(
        [
            f"# Understanding: the same {training} training lines, the same {lines} test lines",
            "",
            "`make bench-nlu`. Full labels. Seconds: training and reading, wall time; for Daoyi reading only.",
            "",
            "| system | accuracy | macro-F1 | error | out-of-scope AUROC | seconds | p50 ms |",
            "|---|---|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def main() -> None:
    """Measure the chosen systems; figures of earlier runs for the others stay in the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--epochs", type=int, default=100, help="of DIET and its response selector")
    parser.add_argument("--massive", type=Path, help="a folder with train.jsonl and dev.jsonl: measure only these")
    options = parser.parse_args()
    if options.massive:
        print(massive(options.massive))
        return
    train, given = training_lines(), cases(SETS["test"])
    path = RESULTS / "nlu.json"
    results = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for name in options.only:
        began = time.monotonic()
        answers = SYSTEMS[name](train, [case.text for case in given], options.epochs)
        results[name] = {**measure(given, answers), "seconds": time.monotonic() - began}
        print(f"{name}: accuracy {results[name]['accuracy']}", flush=True)
    kept = {name: results[name] for name in SYSTEMS if name in results}
    RESULTS.mkdir(exist_ok=True)
    short = {
        name: {key: value for key, value in one.items() if key not in ("each", "confused")}
        for name, one in kept.items()
    }
    path.write_text(json.dumps(short, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    (RESULTS / "nlu.md").write_text(table(kept, len(given), len(train)), encoding="utf-8")
    for name in options.only:
        if name != "daoyi" and "each" in results.get("daoyi", {}):
            print(f"{name} against daoyi: p = {compare(results[name], results['daoyi'])['p']:.2g}")


if __name__ == "__main__":
    main()
