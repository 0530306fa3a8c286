"""Which interpreter and which command run a repository's tests follows from what lies in the repository."""

import sys
import venv
from pathlib import Path

import pytest

from hustings.examples.review_board.command import command_of
from hustings.examples.review_board.environment import choose
from hustings.examples.review_board.requirements import requirements
from hustings.protocols import UsageError

from .conftest import Write

pytestmark = pytest.mark.processes

COMMANDS = {
    "pytest.ini": ("[pytest]\n", "python -m pytest"),
    "tox.ini": (
        "[testenv]\ndeps = pytest\ncommands =\n    pytest tests --cov=x {posargs} -m 'not slow' -n auto\n",
        "python -m pytest tests -m 'not slow'",
    ),
    "noxfile.py": (
        'def tests(session):\n    session.install("pytest")\n    session.run("pytest", "-k", "not net", "tests")\n',
        "python -m pytest -k 'not net' tests",
    ),
    "Makefile": ("test:\n\t$(PY) -m coverage run -m pytest -q tests\n", "python -m pytest tests"),
    "pyproject.toml": (
        '[tool.hatch.envs.default.scripts]\ntest = "pytest --import-mode=importlib tests"\n',
        "python -m pytest --import-mode=importlib tests",
    ),
    ".github/workflows/ci.yml": (
        "jobs:\n  t:\n    steps:\n      - run: pip install pytest\n      - run: python -m unittest discover -s tests\n",
        "python -m unittest discover -s tests",
    ),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_command_is_what_the_repositorys_own_file_runs(name: str, write: Write) -> None:
    text, command = COMMANDS[name]
    root = write({"tests/test_a.py": "", name: text})
    (root / name).write_text(text)
    assert command_of(root)[0] == command
    assert name in command_of(root)[1]


def test_without_a_file_it_is_pytest_or_else_unittest(write: Write) -> None:
    root = write({"tests/test_a.py": ""})
    assert choose(root).tests == "python -m pytest"
    environment(root / ".venv")
    assert choose(root).tests == "python -m unittest"


def environment(place: Path) -> Path:
    venv.create(place, symlinks=True, with_pip=False)
    return place / "bin" / "python"


def test_the_folders_own_environment_is_taken_and_the_choice_is_told(write: Write) -> None:
    root = write({"test_a.py": ""})
    python = environment(root / ".venv")
    chosen = choose(root)
    assert (chosen.python, chosen.tests) == (str(python), "python -m unittest")
    assert chosen.why.endswith(f"with {root.name}/.venv")


def test_a_folder_in_a_checkout_takes_the_environment_of_the_checkout(write: Write) -> None:
    root = write({"packages/one/test_a.py": ""})
    (root / ".git").mkdir()
    python = environment(root / ".venv")
    assert choose(root / "packages" / "one").python == str(python)
    (root / ".git").rmdir()
    assert choose(root / "packages" / "one").python == ""


def test_of_the_sessions_of_tox_one_for_tests_and_this_python_is_taken(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write({"test_a.py": ""})
    version = f"py{sys.version_info.major}{sys.version_info.minor}"
    wanted = environment(root / ".tox" / version)
    for name in ("docs", "lint"):
        environment(root / ".tox" / name)
    assert choose(root).python == str(wanted)


def test_an_environment_that_does_not_start_is_passed_over(write: Write) -> None:
    root = write({"test_a.py": "", ".venv/bin/python": "#!/nowhere\n"})
    (root / ".venv/bin/python").chmod(0o755)
    chosen = choose(root)
    assert chosen.python == ""
    assert "--install builds one" in chosen.why


def test_where_an_environment_is_to_be_built_the_choice_says_so(write: Write) -> None:
    root = write({"test_a.py": ""})
    assert choose(root, install=True).why.endswith("with an environment built from its metadata")
    environment(root / ".venv")
    assert choose(root, install=True).why.endswith(f"with {root.name}/.venv")


def test_what_is_given_counts(write: Write) -> None:
    root = write({"test_a.py": ""})
    environment(root / ".venv")
    other = environment(root / "other")
    chosen = choose(root, python=str(root / "other"), tests="make check")
    assert chosen == (str(other), "make check", "`make check` from --tests, with --python")


@pytest.mark.parametrize(("python", "tests"), [("/nowhere/python", ""), ("/etc/passwd", ""), ("", "pytest 'a")])
def test_what_cannot_be_used_is_refused_at_once(python: str, tests: str, write: Write) -> None:
    with pytest.raises(UsageError) as refused:
        choose(write({"test_a.py": ""}), python, tests)
    assert refused.value.hint


def test_what_the_tests_need_is_read_from_wherever_it_stands(write: Write) -> None:
    root = write(
        {
            "pyproject.toml": """
                [project]
                name = "one"
                [project.optional-dependencies]
                docs = ["sphinx"]
                test = ["attrs"]
                [dependency-groups]
                base = ["freezegun>=1"]
                dev = [{include-group = "base"}, "responses; python_version > '3'"]
                [tool.poetry.group.dev.dependencies]
                mock = "*"
                """,
            "tox.ini": "[testenv]\nextras = docs\ndeps =\n    py3: hypothesis\n    pytest6: pytest==6\n"
            "    {env:MORE}\n    -e .\n",
            "noxfile.py": """
                def tests(session):
                    session.install("trustme", "-r", "more.txt")
                    session.run("pytest")

                def docs(session):
                    session.install("furo")
                """,
            "more.txt": "pretend==1 --hash=sha256:0\n",
            "requirements/pytest.txt": "-r base.txt\nrespx # for http\n-e .\n",
            "requirements/base.txt": "idna\n",
        }
    )
    extras, needs = requirements(root)
    assert extras == "[test,docs]"
    assert needs == (
        *("freezegun>=1", "responses; python_version > '3'", "mock", "hypothesis", "trustme", "pretend==1"),
        *("idna", "respx"),
    )


USED = {
    "pytest-cov": {"pytest.ini": "[pytest]\naddopts = --cov=one\n"},
    "pytest-asyncio": {"tests/test_a.py": "import pytest\n\n\n@pytest.mark.asyncio\nasync def test_a():\n    pass\n"},
    "pytest-mock": {"tests/test_a.py": "def test_a(mocker):\n    pass\n"},
    "hypothesis": {"one/tests/test_a.py": "from hypothesis import given\n"},
}


@pytest.mark.parametrize("need", USED)
def test_a_well_known_tool_that_the_tests_use_is_needed_though_no_file_says_so(need: str, write: Write) -> None:
    assert requirements(write(USED[need])).needs == (need,)
    told = write({**USED[need], "requirements-test.txt": f"{need.upper().replace('-', '_')}>=0\n"}, "told")
    assert len(requirements(told).needs) == 1


def test_other_modules_that_the_tests_import_are_not_guessed(write: Write) -> None:
    assert requirements(write({"tests/test_a.py": "import yaml\n", "one.py": "import hypothesis\n"})).needs == ()
