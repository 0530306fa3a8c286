"""The command group. The verbs are plain data here; a verb's module is imported only when the verb runs."""

import os
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import click

from ..runtime.process import keep_to_itself
from .frame.errors import Boundary, NoSuchVerb
from .frame.hints import close_to
from .frame.options import COMMON
from .frame.streams import own_descriptors

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


class Verb(NamedTuple):
    """`module` is a file in verbs/ with a click command of the verb's name. A verb without a section is hidden."""

    module: str
    help: str
    section: str = ""


VERBS = {
    "demo": Verb("demo", "Play the bundled review board end to end, offline", "Start here"),
    "new": Verb("new", "Write a new specialist, or a new team, with passing tests", "Start here"),
    "doctor": Verb("doctor", "Find out what is missing on this machine and how to fix it", "Start here"),
    "up": Verb("up", "Start broker, coordinator and specialists as separate processes", "Run"),
    "dev": Verb("dev", "As up, and restart each agent when its files are saved", "Run"),
    "down": Verb("up", "Stop them in reverse order", "Run"),
    "run": Verb("run", "Give a team a goal, follow the run live, print the outcome", "Run"),
    "agent": Verb("agent", "Run specialists in a process of their own", "Run"),
    "plan": Verb("plan", "Show the plan for a goal, with reasons, without running it", "Run"),
    "ps": Verb("ps", "List the team processes on this machine and on the bus", "Run"),
    "logs": Verb("logs", "Print what the processes that were started here have written", "Run"),
    "restart": Verb("restart", "Restart a part of a running team, without a gap", "Run"),
    "scale": Verb("restart", "Have another number of processes of a part of a running team", "Run"),
    "cancel": Verb("cancel", "Cancel a run, and wait until it has ended", "Run"),
    "conflicts": Verb("conflicts", "List the conflicts of a run, and how each was settled", "Decide"),
    "explain": Verb("explain", "Show one conflict: sides, evidence, verdict, dissent", "Decide"),
    "runs": Verb("runs", "List runs with their outcome, time and cost", "Look back"),
    "show": Verb("show", "Show one run: its plan, conflicts, verdicts and outcome", "Look back"),
    "replay": Verb("replay", "Step through a recorded run; calls no model and no tool", "Look back"),
    "export": Verb("export", "Write a run as an HTML page, JSON lines or a Mermaid diagram", "Look back"),
    "rm": Verb("rm", "Remove ended runs, and the blobs that nothing else names", "Keep"),
    "backup": Verb("backup", "Write all that teams have on a broker into one file", "Keep"),
    "restore": Verb("backup", "Bring it back, to this broker or another one", "Keep"),
    "move": Verb("backup", "Move what this folder's broker has to another one", "Keep"),
    "tail": Verb("tail", "Print the messages of runs, live or since a point in time", "Wire"),
    "agents": Verb("agents", "List the live specialists and their skills", "Wire"),
    "dead": Verb("dead", "List, show, redrive or discard dead letters (failed tasks)", "Wire"),
    "chaos": Verb("chaos", "Inject faults into a team by a seed, and check the result", "Test"),
    "version": Verb("version", "Print the versions of hustings and its main dependencies", "Tools"),
    "coordinator": Verb("coordinator", "Run a team's coordinator as a process of its own"),
    "isolated": Verb("isolated", "Try a task that may end its process, in isolation (internal)"),
}


OTHERS = "hustings.verbs"  # the entry points of packages that bring a verb: NAME = "MODULE:COMMAND"


class Verbs(click.Group):
    """A group that takes its commands from `VERBS`, and from installed packages, and imports one only when it is
    called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*(name for name, verb in VERBS.items() if verb.section), *sorted(_others())]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        command: click.Command | None = None
        if cmd_name in VERBS:
            command = getattr(import_module(f".verbs.{VERBS[cmd_name].module}", __package__), cmd_name)
        elif cmd_name in _others():
            command = _others()[cmd_name].load()
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in VERBS and args[0] not in _others():
            raise NoSuchVerb(args[0], close_to(args[0], self.list_commands(ctx)), ctx)
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0].partition("=")[0] in COMMON:
            raise click.UsageError(f"the option {args[0]} comes after the verb: `hustings VERB {args[0]} ...`", ctx)
        return super().parse_args(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        width = max(map(len, VERBS))
        for name in self.list_commands(ctx):
            verb = VERBS.get(name) or Verb("", self._help_of(name, ctx), "Brought by packages")
            sections.setdefault(verb.section, []).append((name.ljust(width), verb.help))
        for section, rows in sections.items():
            with formatter.section(section):
                formatter.write_dl(rows)

    def _help_of(self, name: str, ctx: click.Context) -> str:
        """The first sentence of the help of another package's verb; if it cannot be imported, the reason."""
        try:
            command = self.get_command(ctx, name)
        except (ImportError, AttributeError) as error:
            return f"cannot be imported: {error}"
        return command.get_short_help_str(90) if command else ""


@cache
def _others() -> Mapping[str, "EntryPoint"]:
    from importlib.metadata import entry_points  # imported here: it is slow, and rarely needed

    return {each.name: each for each in entry_points(group=OTHERS) if each.name not in VERBS}


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # imported here: it is slow, and rarely needed

        click.echo(f"hustings {version('hustings')}")
        ctx.exit()


@click.group(
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=(
        "Every verb takes -o text|json|jsonl, --color auto|always|never, -u/--url and --debug. A value comes from the"
        " flag, else from HUSTINGS_*, else from hustings.toml. Exit codes: 0 decided, 1 run failed, 2 usage, 3 stopped"
        " for a person, 4 verification failed, 5 dead letters remain (only `dead`), 6 no broker, 7 partial (agents or"
        " tasks are missing), 130 interrupted."
    ),
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Print the version and exit."
)
def hustings() -> None:
    """Run teams of specialist agents on NATS, and settle their disagreements."""


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run the command line. Always raises SystemExit: the exit code is the number that the verb returns, or 0 for None.

    Without `argv` it reads sys.argv and takes over the descriptors of this process.
    """
    if argv is not None:
        _main(list(argv))
    keep_to_itself()
    with own_descriptors():
        if "_HUSTINGS_COMPLETE" in os.environ:
            hustings.main(prog_name="hustings")  # answers the shell, and exits
        _main(sys.argv[1:])


def _main(args: list[str]) -> NoReturn:
    with Boundary(debug="--debug" in args or bool(os.environ.get("HUSTINGS_DEBUG"))) as boundary:
        code = _run(args, boundary)
        sys.stdout.flush()  # here, where a closed pipe is still quiet
        sys.exit(code if isinstance(code, int) else 0)


def _run(args: list[str], boundary: Boundary) -> Any:
    try:
        with hustings.make_context("hustings", args, obj=boundary) as context:
            return hustings.invoke(context)
    except click.exceptions.Exit as done:  # --help, or a verb called context.exit()
        return done.exit_code
