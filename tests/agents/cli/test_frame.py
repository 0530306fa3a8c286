"""The frame of the command line: light, forgiving, and three lines for every error."""

import ast
import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import click
import pytest

from hustings.agents.cli import Settings, common, durability, emit, main, say
from hustings.agents.cli.frame.loading import load
from hustings.protocols import BrokerUnavailable, Message, UsageError

app = import_module("hustings.agents.cli.app")
HUSTINGS = [sys.executable, "-c", "from hustings.agents.cli import main; main()"]


class Said(NamedTuple):
    code: object
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.err.splitlines()


Run = Callable[..., Said]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run the command line in an empty folder and environment; `body` is the verb `try`, if given."""
    for name in [name for name in os.environ if name.startswith("HUSTINGS_")] + ["NATS_URL", "NO_COLOR", "FORCE_COLOR"]:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)

    def call(*args: str, body: Callable[[Settings], object] | None = None) -> Said:
        if body is not None:
            module = ModuleType("hustings.agents.cli.verbs.trying")
            module.__dict__["try"] = click.command("try")(durability(common(body)))
            monkeypatch.setitem(sys.modules, module.__name__, module)
            monkeypatch.setitem(app.VERBS, "try", app.Verb("trying", "Only a test", "Run"))
        with pytest.raises(SystemExit) as end:
            main(args)
        return Said(end.value.code, *capsys.readouterr())

    return call


def settings_of(run: Run, *args: str) -> Settings:
    got: list[Settings] = []
    said = run("try", *args, body=got.append)
    assert said == (0, "", "")
    return got[0]


def raising(error: BaseException) -> Callable[[Settings], None]:
    def body(settings: Settings) -> None:
        raise error

    return body


# light


@pytest.mark.processes
def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom hustings.agents.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    print(sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"nats", "anthropic", "rich", "pydantic", "structlog", "anyio", "asyncio"}
    assert heavy & set(ast.literal_eval(done.stderr)) == set()


@pytest.mark.timing
@pytest.mark.processes
def test_help_takes_less_than_150_ms_of_cpu(unit: Callable[[], float]) -> None:
    """On a machine that takes 20 ms for the unit."""

    def cpu() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*HUSTINGS, "--help"], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(cpu() / unit() for _ in range(5)) < 7.5


def test_help_has_the_verbs_in_sections_and_hides_what_is_not_for_people(run: Run) -> None:
    said = run("--help")
    assert said.code == 0
    places = [said.out.index(word) for word in ("Start here:", "  demo ", "Run:", "  up ", "Look back:", "Wire:")]
    assert places == sorted(places)
    assert "coordinator " not in said.out.split("Start here")[1].split("Every verb")[0].replace(
        "broker, coordinator", ""
    )
    assert all(verb.help in said.out for verb in app.VERBS.values() if verb.section)


def test_every_verb_that_is_written_is_what_the_table_says() -> None:
    folder = Path(str(app.__file__)).parent
    for name, verb in app.VERBS.items():
        if (folder / f"{verb.module}.py").exists():
            command = app.hustings.get_command(click.Context(app.hustings), name)
            assert isinstance(command, click.Command)
            assert command.name == name


# errors


def test_a_hustings_error_is_three_lines_and_its_exit_code(run: Run) -> None:
    said = run("try", body=raising(BrokerUnavailable("no broker at nats://me:pw@h:1", "connection\nrefused \x1b[31m")))
    assert said == (
        6,
        "",
        "error: no broker at nats://***@h:1\n  why: connection refused\n"
        "  try: Start one with `hustings up`, or give its address with --url (or HUSTINGS_URL).\n",
    )


def test_with_json_errors_are_text_on_stderr_all_the_same(run: Run) -> None:
    said = run("try", "-o", "json", body=raising(UsageError("bad", "because", "do this")))
    assert said == (2, "", "error: bad\n  why: because\n  try: do this\n")


def test_of_a_group_the_first_of_ours_is_told(run: Run) -> None:
    inner = ExceptionGroup("", [ValueError("a detail"), BrokerUnavailable("gone", "why not", "x")])
    said = run("try", body=raising(ExceptionGroup("", [KeyError("k"), inner])))
    assert (said.code, said.lines[0]) == (6, "error: gone")
    said = run("try", body=raising(ExceptionGroup("", [ExceptionGroup("", [ValueError("leaf")]), KeyError()])))
    assert (said.code, said.lines[0]) == (1, "error: internal: ValueError: leaf")
    assert run("try", body=raising(BaseExceptionGroup("", [SystemExit(5)]))).code == 5


def test_anything_else_is_internal_and_has_no_traceback_without_debug(run: Run) -> None:
    said = run("try", body=raising(ZeroDivisionError("of nats://tok@h")))
    assert said.code == 1
    assert said.lines == [
        "error: internal: ZeroDivisionError: of nats://***@h",
        "  try: run it again with --debug to see where the error comes from",
    ]
    assert run("try", body=raising(AssertionError())).lines[0] == "error: internal: AssertionError"


def test_debug_shows_the_traceback(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    said = run("try", "--debug", body=raising(UsageError("bad", "because", "do this")))
    assert said.lines[0].startswith("Traceback")
    assert said.lines[-3:] == ["error: bad", "  why: because", "  try: do this"]
    Path("hustings.toml").write_text("debug = true")
    assert "Traceback" in run("try", body=raising(ValueError("x"))).err
    monkeypatch.setenv("HUSTINGS_DEBUG", "0")
    assert "Traceback" not in run("try", body=raising(ValueError("x"))).err


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort(), BaseExceptionGroup("", [KeyboardInterrupt()])])
def test_interrupted_is_130_and_quiet(run: Run, error: BaseException) -> None:
    assert run("try", body=raising(error)) == (130, "", "")


@pytest.mark.processes
def test_a_closed_pipe_is_quiet() -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([*HUSTINGS, "--help"], stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize(
    ("args", "what", "hint"),
    [
        (["versoin"], "error: there is no verb 'versoin'", "  try: did you mean version?"),
        (["qqq"], "error: there is no verb 'qqq'", "  try: `hustings --help` lists its arguments and options"),
        (["version", "--colour", "x"], "error: No such option '--colour'", "  try: did you mean --color?"),
        (["new", "specialits"], "error: No such command 'specialits'", "  try: did you mean specialist?"),
        (["new", "specialist"], "error: Missing argument 'NAME'", "  try: `hustings new specialist --help` lists"),
        (["-o", "json", "version"], "error: the option -o comes after the verb", "  try: `hustings --help`"),
        (
            ["version", "-o", "xml"],
            "error: Invalid value for '-o' / '--output' (env var: 'HUSTINGS_OUTPUT'): 'xml' is",
            "  try: ",
        ),
    ],
)
def test_misuse_has_the_same_shape(run: Run, args: list[str], what: str, hint: str) -> None:
    said = run(*args)
    assert (said.code, said.out, len(said.lines)) == (2, "", 3)
    assert said.lines[0].startswith(what)
    assert said.lines[1].startswith("  why: the usage is: hustings ")
    assert said.lines[2].startswith(hint)


def test_no_verb_at_all_shows_the_help(run: Run) -> None:
    said = run()
    assert (said.code, said.out) == (2, "")
    assert "Start here:" in said.err


def test_a_verb_returns_its_exit_code(run: Run) -> None:
    assert run("try", body=lambda settings: 3).code == 3
    assert run("try", body=lambda settings: None).code == 0
    assert run("try", body=lambda settings: click.get_current_context().exit(4)).code == 4


# settings


def test_defaults(run: Run, tmp_path: Path) -> None:
    assert settings_of(run) == Settings("text", "auto", None, tmp_path / ".hustings", False, "power")


def test_flag_over_environment_over_file_over_default(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hustings.toml").write_text(
        'output = "jsonl"\nurl = "nats://file"\ncolor = "never"\ndebug = true\ndurability = "process"'
    )
    (tmp_path / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "deep" / "er")
    assert settings_of(run) == Settings("jsonl", "never", "nats://file", tmp_path / ".hustings", True, "process")
    monkeypatch.setenv("NATS_URL", "nats://nats")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("HUSTINGS_DURABILITY", "power")
    assert settings_of(run) == Settings("jsonl", "always", "nats://nats", tmp_path / ".hustings", True, "power")
    monkeypatch.setenv("HUSTINGS_URL", "nats://hustings")
    monkeypatch.setenv("HUSTINGS_OUTPUT", "json")
    monkeypatch.setenv("HUSTINGS_COLOR", "auto")
    monkeypatch.setenv("HUSTINGS_DEBUG", "false")
    monkeypatch.setenv("HUSTINGS_HOME", "state")
    home = tmp_path / "deep" / "er" / "state"
    assert settings_of(run) == Settings("json", "auto", "nats://hustings", home, False, "power")
    flags = ["-u", "nats://flag", "-o", "text", "--color", "never", "--debug", "--durability", "process"]
    assert settings_of(run, *flags) == Settings("text", "never", "nats://flag", home, True, "process")


def test_no_color(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert settings_of(run).color == "never"
    settings = settings_of(run, "--color", "always")
    assert settings.colored(sys.stdout)
    assert not settings_of(run).colored(sys.stdout)


@pytest.mark.parametrize(
    ("text", "what", "hint"),
    [
        ('ulr = "x"', "hustings.toml has an unknown key 'ulr'", "did you mean url?"),
        ('zzzzzz = "x"', "hustings.toml has an unknown key 'zzzzzz'", "remove it; the keys are output, "),
        ('output = "jsn"', "hustings.toml: output is 'jsn'", "did you mean json?"),
        ("debug = 1", "hustings.toml: debug is 1", "correct it in the file"),
        ("url = ", "hustings.toml cannot be read", "correct the file"),
    ],
)
def test_a_wrong_file_is_named_with_the_key(run: Run, text: str, what: str, hint: str) -> None:
    Path("hustings.toml").write_text(text)
    said = run("try", body=lambda settings: None)
    assert (said.code, said.out) == (2, "")
    assert said.lines[0].endswith(what)
    assert str(Path.cwd()) in said.lines[0]
    assert said.lines[2].startswith(f"  try: {hint}")


def test_providers_in_the_file_are_for_whoever_calls_models(run: Run) -> None:
    Path("hustings.toml").write_text('color = "never"\n[providers.local]\nkind = "openai"')
    assert settings_of(run).color == "never"


def test_a_wrong_file_does_not_hide_the_help(run: Run) -> None:
    Path("hustings.toml").write_text("nonsense")
    assert run("version", "--help").code == 0


def test_a_wrong_durability_in_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUSTINGS_DURABILITY", "proces")
    assert run("version").lines == [
        "error: HUSTINGS_DURABILITY is 'proces'",
        "  why: it must be one of power, process",
        "  try: did you mean process?",
    ]


# output


class Word(Message):
    text: str


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("text", "2 rows\n"),
        ("jsonl", '{"id": 1}\n{"text": "\\u001b[31m"}\n'),
        ("json", json.dumps([{"id": 1}, {"text": "\x1b[31m"}], indent=2) + "\n"),
    ],
)
def test_emit(run: Run, output: str, expected: str) -> None:
    def body(settings: Settings) -> None:
        emit(settings, [{"id": 1}, Word(text="\x1b[31m")], lambda rows: f"{len(rows)} rows")

    assert run("try", "-o", output, body=body) == (0, expected, "")


def test_emit_of_one_object_and_of_what_json_does_not_know(run: Run) -> None:
    said = run("try", "-o", "jsonl", body=lambda settings: emit(settings, {"at": Path("x")}, str))
    assert said.out == '{"at": "x"}\n'
    said = run("try", "-o", "json", body=lambda settings: emit(settings, {1, 2}, str))
    assert said.lines[0] == "error: internal: TypeError: set cannot be written as JSON"


def test_say_goes_to_stderr_and_is_inert(run: Run) -> None:
    assert run("try", body=lambda settings: say("\x1b[2Jhello nats://u:p@h")) == (0, "", "hello nats://***@h\n")


def test_version(run: Run) -> None:
    assert run("version").out.startswith("hustings 0.")
    assert json.loads(run("version", "-o", "json").out)["python"] == sys.version.split()[0]


# new specialist


def test_new_specialist_writes_a_module_and_its_test(run: Run) -> None:
    said = run("new", "specialist", "clerk")
    assert said.out == (
        "wrote clerk.py\nwrote test_clerk.py\nnext  python -m pytest test_clerk.py\nnext  hustings agent clerk:clerk\n"
    )
    code = Path("clerk.py").read_text()
    assert len([line for line in code.splitlines() if line.strip()]) <= 15
    assert 'clerk = Specialist("clerk", ' in code


@pytest.mark.processes
def test_the_written_test_passes(run: Run) -> None:
    assert run("new", "specialist", "clerk").code == 0
    command = [sys.executable, "-m", "pytest", "-q", "test_clerk.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_new_specialist_as_json(run: Run) -> None:
    assert json.loads(run("new", "specialist", "clerk", "-o", "json").out)["written"] == ["clerk.py", "test_clerk.py"]


@pytest.mark.parametrize("there", ["clerk.py", "test_clerk.py"])
def test_new_specialist_overwrites_nothing(run: Run, there: str) -> None:
    Path(there).write_text("mine")
    said = run("new", "specialist", "clerk")
    assert (said.code, said.lines[0]) == (2, f"error: {there} already exists")
    assert [path.name for path in Path.cwd().iterdir()] == [there]
    assert Path(there).read_text() == "mine"


@pytest.mark.parametrize("name", ["Clerk", "two words", "../up", "class", "json", "hustings", "1st", "a.b", "ä"])
def test_new_specialist_refuses_names_that_would_not_work(run: Run, name: str) -> None:
    said = run("new", "specialist", name)
    assert (said.code, len(said.lines)) == (2, 3)
    assert list(Path.cwd().iterdir()) == []


Loading = Callable[[str, str], UsageError]


@pytest.fixture
def loading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loading:
    """Load NAME from a module with this text, as `faulty:NAME`; gives the error."""

    def error(name: str, text: str) -> UsageError:
        (tmp_path / "faulty.py").write_text(text)
        with pytest.raises(UsageError) as caught:
            load(f"faulty:{name}")
        return caught.value

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.delitem(sys.modules, "faulty", raising=False)
    return error


def test_what_a_module_does_wrong_comes_first_with_its_line(loading: Loading) -> None:
    """Not that the module cannot be imported: the first line has what to correct."""
    error = loading("team", "from hustings import Goal, Outcome, Team\nteam = Team('t', Goal, Outcome, prefer=['b'])")
    assert error.what == "faulty.py:2: team t has no specialist b"
    assert "outsiders" in error.hint


def test_a_value_that_does_not_fit_is_told_in_words(loading: Loading) -> None:
    """Each reason, the line, and nothing of pydantic's own."""
    text = "from hustings import RetryPolicy\nonce = RetryPolicy(max_attempts=0, non_retryable=['a.B'])"
    error = loading("once", text)
    assert error.what == "faulty.py:2: RetryPolicy cannot be made of these values"
    assert error.why == (
        "max_attempts must be at least 1, not 0; "
        "non_retryable.0: it must be an exception class, or the bare name of one, not 'a.B'"
    )
