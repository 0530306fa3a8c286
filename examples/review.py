"""`hustings review [PATH]`: the review board on a repository. A verb by the entry point `hustings.verbs`.

Imports no team: `hustings --help` reads its one line.
"""

from pathlib import Path

import click

from hustings.agents.cli import Duration, Settings, common_and, verbosity

TARGET = "hustings.examples.review_board:team"
WITH_MODELS = "hustings.examples.review_board:with_models"


@click.command()
@click.argument("path", default=".", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--path",
    "below",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Review only this folder of PATH, for monorepos.",
)
@click.option("--python", metavar="PATH", help="The interpreter to run the tests with.  [default: the folder's own]")
@click.option("--tests", metavar="COMMAND", help="The command that runs the tests.  [default: what its files have]")
@click.option("--install", is_flag=True, help="Build an environment for the tests where the folder has none.")
@click.option("--within", type=Duration(plain=True), metavar="5m", help="Time for trials and proof.  [default: 210s]")
@click.option("--bold", is_flag=True, help="Also formats and fixes that the folder does not ask for.")
@click.option(
    "--vulnerabilities",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="OSV advisories, JSON or a zip of it: claims what is named by one.",
)
@click.option("--models", is_flag=True, help="Ask models too; needs a key.")
@click.option("--only", multiple=True, metavar="NAME", help="Use only this witness; repeat for more.")
@click.option("--skip", multiple=True, metavar="NAME", help="Leave out this specialist; repeat for more.")
@click.option(
    "--apply", is_flag=True, help="Write the patch to the repository, if it is proved and nothing has changed."
)
@verbosity
@common_and("md", "patch", "sarif")
def review(
    settings: Settings,
    path: Path,
    below: Path | None,
    python: str | None,
    tests: str | None,
    install: bool,
    bold: bool,
    within: float | None,
    vulnerabilities: Path | None,
    models: bool,
    only: tuple[str, ...],
    skip: tuple[str, ...],
    apply: bool,
    verbose: int,
) -> int:
    """Let a team of code tools review the repository at PATH (default: this folder), settle what they disagree about,
    prove what is left by its own tests, and write one patch.

    PATH may be a folder of a checkout: then that is reviewed, by its own settings and those above it, and with its own
    tests. The tests run on copies; only --apply changes the repository.
    """
    from hustings.agents.cli import RunOptions, run_team  # here, because `hustings --help` imports this module

    given = {
        **{"python": python, "tests": tests, "within": within, "install": install or None, "bold": bold or None},
        "vulnerabilities": vulnerabilities,
    }
    flags = [f"--goal.{name}={value}" for name, value in given.items() if value is not None]
    target = WITH_MODELS if models else TARGET
    goal = [f"--goal.repository={_folder(path, below)}", *flags]
    return run_team(settings, target, goal, RunOptions(only=only, skip=skip, apply=apply), verbose)


def _folder(path: Path, below: Path | None) -> Path:
    """The folder to review. Raises BadParameter: there is none, or it lies outside of PATH."""
    folder = path / (below or "")
    if not folder.is_dir() or not folder.resolve().is_relative_to(path.resolve()):
        raise click.BadParameter(f"{path} has no folder {below}", param_hint="--path")
    return folder
