"""The workbench's twins on the command line: `daoyi nlu lint|dedupe|split`, `daoyi models list|promote|rollback`."""

import getpass
from pathlib import Path

from bot.clock import now
from bot.errors import DaoyiError
from bot.workbench import judge, models
from bot.workbench.project import Project


def add_commands(commands) -> None:
    """Register both commands with argparse."""
    nlu = commands.add_parser("nlu", help="training lines: lint, dedupe, split").add_subparsers(
        dest="deed", required=True
    )
    nlu.add_parser("lint", help="what would be learnt wrongly (exit code 1), and what the guideline asks besides")
    dedupe = nlu.add_parser("dedupe", help="list repeats and lines that almost repeat another")
    dedupe.add_argument("--write", action="store_true", help="take exact repeats out of the files")
    split = nlu.add_parser("split", help="part the lines for a test of one's own, every label alike")
    split.add_argument("folder", type=Path, help="a new folder: train/ and test.yml (for `daoyi evaluate --set`)")
    split.add_argument("--share", type=float, default=0.2, help="share of each label that goes into the test")
    given = commands.add_parser("models", help="trained models: list, promote, rollback")
    deeds = given.add_subparsers(dest="deed", required=True)
    deeds.add_parser("list", help="every model: which serves, who made it, its scores")
    promote = deeds.add_parser("promote", help="let a model serve; a running `daoyi serve` changes over")
    promote.add_argument("model", help="as `daoyi models list` names it")
    promote.add_argument("--reason", default="", help="why, when it has not passed all checks")
    deeds.add_parser("rollback", help="let the model before this one serve again")


def run_models(given, project: Project | None = None) -> int:
    """Run `daoyi models …`. Raises DaoyiError saying what to do."""
    project = project or Project()
    by = getpass.getuser()
    if given.deed == "promote":
        name = given.model.removesuffix(".tar.gz")
        may = judge.may_promote(models.card(project, name).get("gate"))
        if may == "no":
            raise DaoyiError("this model is worse at danger signs than the one that serves; train anew")
        if may == "reason" and not given.reason:
            raise DaoyiError("this model was not judged or has not passed all checks; say why with --reason")
        models.promote(project, name, by, now(), given.reason)
        print(f"{name} serves from now on")
    elif given.deed == "rollback":
        print(f"{models.rollback(project, by, now())} serves again")
    else:
        held = models.serving(project, now())["model"]
        for name in models.names(project):
            facts = models.card(project, name)
            accuracy = ((facts.get("scores") or {}).get("tuning") or {}).get("accuracy", "-")
            row = (
                "*" if name == held else " ",
                name,
                facts.get("at", "-")[:16],
                facts.get("by", "-"),
                facts.get("commit") or "-",
            )
            print(*row, accuracy, sep="\t")
    return 0


def run_nlu(given, project: Project | None = None) -> int:
    """Run `daoyi nlu …`; the exit code is 1 where lint finds a fault."""
    from bot.workbench import upkeep  # the language tables take a second to load

    project = project or Project()
    if given.deed == "lint":
        return upkeep.lint(project)
    return (
        upkeep.dedupe(project, given.write)
        if given.deed == "dedupe"
        else upkeep.split(project, given.folder, given.share)
    )
