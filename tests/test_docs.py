"""The pages hold together: links lead somewhere, code parses, its imports are there, commands have their options."""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from itertools import takewhile
from pathlib import Path

import click
import pytest

from hustings.agents.cli.app import hustings

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*/README.md")])
BLOCK = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HERE = ("https://", "http://")


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def slugs(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    heads = re.findall(r"^#+ (.*)$", BLOCK.sub("", page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    """To a file that is there, and to a heading in it."""
    lost = []
    for link in LINK.findall(BLOCK.sub("", page.read_text())):
        path, _, anchor = link.partition("#")
        file = page.parent / path if path else page
        if not link.startswith(HERE) and (not file.exists() or (anchor and anchor not in slugs(file))):
            lost.append(link)
    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_code_can_be_pasted(page: Path) -> None:
    """Each block of Python parses, at a prompt that knows await, and what it imports of hustings is there."""
    for language, text in BLOCK.findall(page.read_text()):
        if language == "python":
            tree = compile(text, name(page), "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            for node in ast.walk(tree):
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("hustings"):
                    module = import_module(node.module or "")
                    assert [alias.name for alias in node.names if not hasattr(module, alias.name)] == []


def commands(text: str) -> Iterator[list[str]]:
    """The words of each `hustings VERB ...`, in blocks and in the text, up to a comment, or what is the shell's."""
    spans = [line for _, block in BLOCK.findall(text) for line in block.splitlines()]
    spans += re.findall(r"`(hustings [^`]+)`", BLOCK.sub("", text).replace("\n", " "))
    for span in spans:
        if found := re.match(r"(?:\$ )?(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?hustings (.*)", span):
            yield [*takewhile(lambda word: word[0] not in "#|>;&", found[1].split())]


def wrong(words: list[str]) -> str:
    """Why this is no command; empty if it is one. What stands behind a team's name are fields of its goal."""
    verb, *rest = words
    if not re.fullmatch(r"[a-z]+", verb):
        return "" if verb.isupper() or verb.startswith("-") or verb == "…" else f"no verb {verb}"
    command = hustings.get_command(click.Context(hustings), verb)
    if command is None:
        return f"no verb {verb}"
    if isinstance(command, click.Group) and rest and rest[0] in command.commands:
        command = command.commands[rest.pop(0)]
    known = {option for each in command.params for option in (*each.opts, *each.secondary_opts)} | {"--help", "-h"}
    options = [word.partition("=")[0] for word in rest if re.match(r"--?[a-z]", word)]
    free = verb in ("run", "plan") and any(":" in word or word == "TEAM" for word in rest)
    return ", ".join(f"{verb} has no {option}" for option in options if option not in known and not free)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_are_those_of_the_command_line(page: Path) -> None:
    """Each verb that a page names is there, with the options that it shows."""
    assert [why for words in commands(page.read_text()) if (why := wrong(words))] == []
