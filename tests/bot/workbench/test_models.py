"""Which model serves: promoted, gone back, taken over by new workers; the verdict; jobs; commits taken back; git missing."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from datetime import timedelta

import pytest

from bot.clock import now
from bot.nlu import report
from bot.storage import heartbeat
from bot.web.errors import Refused
from bot.workbench import history, jobs, judge, models, publishing
from bot.workbench.models import NoModel
from bot.workbench.project import NotSaved, Project
from bot.workbench.takeover import Takeover

_WRONG = {"label": "greet", "found": "thanks", "confidence": 0.4, "voice": "short", "text": "蟹蟹"}
_RESULT = {"lines": 1, "each": [_WRONG], "groups": {}, "voices": {}, "kinds": {}, "entities": {}, "by_value": {}} | {
    "values_right": {},
    "calibration": {"ece": 0.1, "bins": []},
    "confused": [["greet", "thanks", 1]],
}
A, B, C = (f"daoyi-{letter * 16}" for letter in "abc")


@pytest.fixture
def place(tmp_path, database):
    given = Project(tmp_path)
    given.models.mkdir()
    for name in (A, B, C):
        (given.models / f"{name}.tar.gz").write_bytes(b"model")
    return given


def beats(name: str, model: str, ago: float = 0.0) -> None:
    heartbeat.beat("worker", name, now() - timedelta(seconds=ago), model=model)


def each(text: str, label: str, found: str) -> dict:
    return {"text": text, "label": label, "found": found, "confidence": 0.9}


# ---- the pointer


def test_without_a_promotion_the_model_of_todays_files_serves(place):
    assert models.live(place) == {} and models.live_path(place) is None


def test_a_promotion_holds_and_one_press_goes_back(place):
    models.promote(place, A, "周训练", now())
    models.promote(place, B, "周训练", now(), "停车问题")
    assert models.live_path(place).name == f"{B}.tar.gz"
    assert models.rollback(place, "李训练", now()) == A
    held = models.live(place)
    assert (held["model"], held["by"]) == (A, "李训练")
    with pytest.raises(NoModel):
        models.rollback(place, "李训练", now())


def test_the_first_promotion_can_go_back_to_what_served_before(place):
    beats("host:worker-1", C)
    models.promote(place, A, "周训练", now())
    assert models.rollback(place, "周训练", now()) == C


def test_training_data_may_change_only_after_the_serving_model_is_held(place):
    beats("host:worker-1", B)
    models.pin(place, "周训练", now())
    assert models.live(place)["model"] == B
    models.promote(place, C, "周训练", now())
    models.pin(place, "周训练", now())
    assert models.live(place)["model"] == C


@pytest.mark.parametrize("name", ["daoyi-x", "../secret", "daoyi-" + "d" * 16])
def test_an_unknown_model_is_refused(place, name):
    with pytest.raises(NoModel):
        models.promote(place, name, "周训练", now())


def test_a_model_that_is_gone_is_not_served(place):
    models.promote(place, A, "周训练", now())
    (place.models / f"{A}.tar.gz").unlink()
    assert models.live_path(place) is None


# ---- who answers


def test_a_model_serves_when_no_worker_of_any_host_is_heard_with_another(place):
    assert models.serving(place, now()) == {"model": "", "state": ""}
    beats("one:worker-1", A)
    assert models.serving(place, now()) == {"model": A, "state": "live"}
    models.promote(place, B, "周训练", now())
    assert models.serving(place, now()) == {"model": B, "state": "changing"}
    beats("one:worker-1~new", B)
    beats("two:worker-1", A)
    heartbeat.gone("worker", "one:worker-1")
    assert models.serving(place, now())["state"] == "changing"  # the second host still answers with the old one
    beats("two:worker-1~new", B)
    beats("two:worker-1", A, ago=heartbeat.FRESH.total_seconds() + 1)  # it was killed
    assert models.serving(place, now()) == {"model": B, "state": "live"}


# ---- the takeover


class Child:
    def __init__(self, name: str, model: str) -> None:
        self.name, self.model, self.running, self.told = name, model, False, ""

    def start(self) -> None:
        self.running = True

    def alive(self) -> bool:
        return self.running

    def stop(self) -> None:
        self.told = "stop"

    def kill(self) -> None:
        self.told, self.running = "kill", False


def following(place):
    heard = {"host:worker-1": C}
    takeover = Takeover(place, Child, lambda: heard)
    old = Child("host:worker-1", "")
    old.start()
    return takeover, heard, [old]


def test_the_old_worker_goes_only_when_the_new_one_is_ready(place):
    takeover, heard, workers = following(place)
    assert takeover.look(workers) is workers
    models.promote(place, B, "周训练", now())
    assert takeover.look(workers) is workers and takeover.warming[0].model == B
    assert takeover.look(workers) is workers and workers[0].told == ""
    heard[takeover.warming[0].name] = B
    fresh = takeover.look(workers)
    assert [child.model for child in fresh] == [B] and workers[0].told == "stop"
    assert fresh[0].name != workers[0].name  # or it would void the leases of the one that still finishes
    assert takeover.everyone() == workers
    workers[0].running = False
    assert takeover.look(fresh) is fresh and takeover.everyone() == []


def test_a_model_that_does_not_come_up_leaves_the_old_one_and_the_pointer_as_they_were(place):
    takeover, _, workers = following(place)
    models.promote(place, A, "周训练", now())
    takeover.model = A
    models.promote(place, B, "周训练", now())
    takeover.look(workers)
    takeover.warming[0].running = False
    assert takeover.look(workers) is workers and workers[0].told == ""
    beats("host:worker-1", A)
    assert models.serving(place, now()) == {"model": A, "state": "failed"}
    assert takeover.look(workers) is workers and takeover.warming == []
    models.promote(place, B, "周训练", now())  # somebody has mended it
    takeover.look(workers)
    assert [child.model for child in takeover.warming] == [B]


def test_a_new_model_that_never_gets_ready_is_given_up(place, monkeypatch):
    monkeypatch.setattr("bot.workbench.takeover.PATIENCE", 0.0)
    takeover, _, workers = following(place)
    models.promote(place, B, "周训练", now())
    takeover.look(workers)
    time.sleep(0.01)
    warming = takeover.warming[0]
    assert takeover.look(workers) is workers and warming.told == "kill"
    assert models.live(place) == {}
    beats("host:worker-1", C)
    assert models.serving(place, now()) == {"model": C, "state": "failed"}


def test_promoting_the_model_that_serves_already_changes_nothing(place):
    takeover, _, workers = following(place)
    models.promote(place, C, "周训练", now())
    assert takeover.look(workers) is workers and takeover.warming == []


# ---- the verdict


def test_lines_that_got_better_and_worse_are_named(place):
    live = [
        each("停哪", "faq/parking", "faq/wifi"),
        each("你好", "greet", "greet"),
        each("胸口疼", "emergency", "emergency"),
    ]
    new = [
        each("停哪", "faq/parking", "faq/parking"),
        each("你好", "greet", "thanks"),
        each("胸口疼", "emergency", "emergency"),
    ]
    found = judge.compare(live, new)
    assert [row["text"] for row in found["better"]] == ["停哪"] and [row["text"] for row in found["worse"]] == ["你好"]
    assert found["right"] == {"live": 2, "new": 2}
    assert judge.may_promote(judge.gate(found, {"passed": 9, "failed": 0, "names": []})) == "yes"


def test_a_lost_danger_sign_forbids_a_promotion_and_other_faults_ask_for_a_reason(place):
    live = [each(f"疼{n}", "emergency", "emergency") for n in range(30)]
    worse = [*live[:-1], each("疼29", "emergency", "greet")]
    good = {"passed": 9, "failed": 0, "names": []}
    assert judge.may_promote(judge.gate(judge.compare(live, worse), good)) == "no"
    same = judge.compare(live, live)
    assert judge.may_promote(judge.gate(same, {"passed": 8, "failed": 1, "names": ["tests/x"]})) == "reason"
    assert judge.may_promote(None) == "reason"
    talks = next(row for row in judge.gate(same, None) if row["rule"] == "talks")
    assert talks["passed"] is None
    assert judge.may_promote(judge.gate(same, None)) == "reason"  # what was not run has not passed
    group = [each(f"你好{n}", "greet", "greet") for n in range(200)]
    lost = [*group[5:], *(each(f"你好{n}", "greet", "thanks") for n in range(5))]
    assert judge.may_promote(judge.gate(judge.compare(group, lost), good)) == "reason"


def test_a_model_without_all_checks_needs_a_reason_and_one_that_lost_danger_signs_stays_out(
    trainer, project, place, monkeypatch
):
    monkeypatch.setattr(publishing, "the_project", lambda: place)
    with pytest.raises(Refused, match="409"):
        publishing.promote(trainer, A, "")
    publishing.promote(trainer, A, "先给停车问题用上")
    assert models.live(place)["reason"] == "先给停车问题用上"
    models.keep_card(place, B, {"gate": [{"hard": True, "passed": False}]})
    with pytest.raises(Refused):
        publishing.promote(trainer, B, "无论如何都要上线")
    shown = {row["model"]: row["may"] for row in publishing.all_models()["models"]}
    assert shown == {A: "reason", B: "no", C: "reason"}


# ---- jobs


def test_a_conflict_in_the_data_ends_a_job_before_training(project):
    path = project.data / "greet.yml"
    path.write_text(
        'version: "3.1"\nnlu:\n- intent: greet\n  examples: |\n    - 一句两说\n- intent: thanks\n  examples: |\n    - 一句两说\n'
    )
    job = jobs.Job(project, "周训练")
    job.run()
    found = jobs.state(project)
    assert found["state"] == "failed" and "一句两说" in found["error"]
    assert [step["state"] for step in found["steps"]] == ["failed", *["waiting"] * 4]


def test_a_job_whose_process_is_gone_has_failed(project):
    path = project.own / "job.json"
    path.write_text(json.dumps({"state": "running", "steps": []}))
    assert jobs.state(project)["state"] == "running"  # its process may be coming up
    os.utime(path, (0, 0))
    assert jobs.state(project)["state"] == "failed"
    assert jobs.cancel(project) is False


@pytest.mark.parametrize("hears", [True, False])
def test_a_cancelled_job_leaves_no_process_and_no_draft_behind(project, monkeypatch, hears):
    monkeypatch.setattr(jobs, "STOPPING", 5.0 if hears else 0.3)
    deaf = "" if hears else "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); "
    child = f"{deaf}import time; open('child', 'w').close(); time.sleep(60)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    lock = project.own / "job.lock"
    job = subprocess.Popen(
        ["flock", str(lock), sys.executable, "-c", parent],
        cwd=project.root,
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    steps = [{"step": "train", "title": "训练模型", "state": "running"}]
    (project.own / "job.json").write_text(json.dumps({"state": "running", "group": job.pid, "steps": steps}))
    drafts = [project.own / "job.1.draft", project.own / "results/x.draft", project.models / f"unfinished/{A}.tar.gz"]
    for draft in drafts:
        draft.parent.mkdir(parents=True, exist_ok=True)
        draft.touch()
    while not (project.root / "child").exists():
        time.sleep(0.02)
    threading.Thread(target=job.wait, daemon=True).start()
    assert jobs.cancel(project) is True
    with pytest.raises(ProcessLookupError):
        for _ in range(100):  # the system buries the dead in a moment
            os.killpg(job.pid, 0)
            time.sleep(0.05)
    assert not any(draft.exists() for draft in drafts)
    found = jobs.state(project)
    assert found["state"] == "cancelled" and found["steps"][0]["state"] == "waiting"
    assert jobs.cancel(project) is False


def test_how_far_the_tests_are_is_shown_and_they_never_meet_the_patients_database(project, monkeypatch):
    monkeypatch.setenv("DAOYI_DATABASE", "postgresql://the/patients")
    for place in jobs.TESTS:
        (project.root / place).mkdir(parents=True)
    seen = (
        "import os; assert 'the/patients' not in os.environ['DAOYI_DATABASE']; assert 'DAOYI_NOW' not in os.environ\n"
    )
    (project.root / jobs.TESTS[0] / "test_one.py").write_text(
        f"{seen}def test_one(): pass\ndef test_two(): assert False\n"
    )
    monkeypatch.setenv("DAOYI_NOW", "2026-11-23T09:00:00+08:00")
    job = jobs.Job(project, "周训练")
    with job._step("talks"):
        talks = job._talks()
    assert (talks["passed"], talks["failed"]) == (1, 1) and "test_two" in talks["names"][0]
    assert jobs.state(project)["steps"][-1]["share"] == 100


# ---- the evaluation's page


def test_only_the_report_on_sentences_that_may_be_shown_is_given_under_its_own_styles_alone(
    project, place, monkeypatch
):
    monkeypatch.setattr(publishing, "the_project", lambda: place)
    (place.own / "results").mkdir()
    (place.own / f"results/{A}.test.1.html").write_text("秘密")
    with pytest.raises(Refused, match="404"):
        publishing.report_page(A)
    page = report.page(_RESULT, "报告")
    (place.own / f"results/{A}.tuning.1.html").write_text(page)
    assert publishing.report_page(A) == page and "style=" not in page
    shown = {row["model"]: row["report"] for row in publishing.all_models()["models"]}
    assert shown == {A: True, B: False, C: False}
    with pytest.raises(NoModel):
        publishing.report_page("../../etc/passwd")


# ---- git


def test_a_change_is_taken_back_by_a_commit_of_its_own(project):
    path = project.data / "faq/responses.yml"
    before = path.read_text()
    path.write_text(before.replace("挂号分四步", "挂号分五步"))
    sha = history.commit(project, [path], "修改回答：挂号", "周训练", "5001")
    made = history.revert(project, sha, "李训练", "5002")
    assert path.read_text() == before and made and history.log(project)[0].author == "李训练"
    with pytest.raises(NotSaved):
        history.revert(project, sha, "李训练", "5002")


def test_what_others_have_staged_is_no_part_of_a_trainers_commit(project):
    other = project.root / "other.txt"
    other.write_text("别人的")
    history._git(project, "add", "other.txt")
    path = project.data / "greet.yml"
    path.write_text("nlu: []\n")
    sha = history.commit(project, [path], "新文件", "周<训>练", "5001")
    assert "greet.yml" in history._git(project, "show", "--name-only", sha) and other.exists()
    assert "other.txt" not in history._git(project, "show", "--name-only", sha)


def test_everything_is_saved_without_git(project):
    shutil.rmtree(project.root / ".git")
    assert history.commit(project, [project.data / "faq/nlu.yml"], "x", "周训练", "5001") is None
    assert history.log(project) == [] and not history.has_git(project)
    with pytest.raises(NotSaved):
        history.revert(project, "abcdef1", "周训练", "5001")
