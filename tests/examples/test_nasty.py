"""A repository with everything that repositories have is reviewed; the patch applies, and changes nothing else."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hustings.agents import exit_code
from hustings.agents.testing import running
from hustings.examples.review_board import Report, Repository, Review, apply_to, team

pytestmark = [pytest.mark.processes, pytest.mark.long]

OLD = "import os\nNAME = u'name'\n"
NEW = "NAME = 'name'\n"
LATIN = "caf\xe9"
FILES: dict[str, bytes] = {
    "pyproject.toml": b'[project]\nname = "nasty"\nversion = "1"\nrequires-python = ">=3.9"\n'
    b'[tool.pytest.ini_options]\npythonpath = ["src", "b\xc3\xa4r und baz"]\n',
    ".gitignore": b"node_modules/\nbig/\n",
    "src/pkg/__init__.py": b"",
    "src/pkg/crlf.py": OLD.replace("\n", "\r\n").encode() + b'TEXT = """a\r\nb"""\r\n',
    "src/pkg/mixed.py": b"import os\r\nNAME = u'name'\nLAST = 1\r\n",
    "src/pkg/bom.py": b"\xef\xbb\xbf" + OLD.encode(),
    "src/pkg/latin.py": b"# -*- coding: latin-1 -*-\nimport os\nNAME = u'caf\xe9'\n",
    "src/pkg/cookie.py": b"# coding: utf-8\nimport os\nNAME = 'caf\xc3\xa9'\n",
    "src/pkg/endless.py": OLD.encode() + b"LAST = u'no end of line'",
    "src/pkg/feed.py": OLD.encode() + b"\x0c\nLAST = '\xe2\x80\xa8'\n",
    "src/pkg/gr\u00f6\u00dfe der welt.py": OLD.encode(),
    'src/pkg/it\'s "quoted" & <odd>.py': OLD.encode(),
    "src/pkg/-dash.py": OLD.encode(),
    "src/pkg/two.py": b"print 'two'\n",
    "src/pkg/nul.py": b"NAME = '\x00'\n",
    "src/pkg/empty.py": b"",
    "src/names/part/__init__.py": OLD.encode(),
    "b\u00e4r und baz/baz.py": OLD.encode(),
    "assets/picture.bin": bytes(range(256)) * 4096,
    "tests/test_nasty.py": b"""\
import runpy
from pathlib import Path

import pytest

import baz
import names.part
from pkg import bom, cookie, crlf, endless, feed, latin, mixed

FILES = sorted(Path(crlf.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("module", [baz, bom, crlf, endless, feed, mixed, names.part], ids=lambda each: each.__name__)
def test_names(module):
    assert module.NAME == "name"


def test_the_rest():
    assert latin.NAME == cookie.NAME == "caf\\xe9"
    assert (crlf.TEXT, feed.LAST, endless.LAST) == ("a\\nb", "\\u2028", "no end of line")


@pytest.mark.parametrize("path", [each for each in FILES if each.stem not in ("two", "nul")], ids=lambda it: it.stem)
def test_each_runs(path):
    runpy.run_path(str(path))
""",
}
CHANGED = {
    "src/pkg/crlf.py", "src/pkg/mixed.py", "src/pkg/bom.py", "src/pkg/cookie.py", "src/pkg/endless.py",
    "src/pkg/feed.py", "src/pkg/gr\u00f6\u00dfe der welt.py", "src/pkg/it's \"quoted\" & <odd>.py", "src/pkg/-dash.py",
    "src/names/part/__init__.py", "b\u00e4r und baz/baz.py",
}  # fmt: skip
ODD_NAME = os.fsencode("src/pkg/") + b"\xe9t\xe9.py"  # no UTF-8


def git(root: Path, *words: str) -> str:
    alone = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false", "-c", "core.quotepath=off"]
    alone += ["-c", "protocol.file.allow=always", "-c", "core.autocrlf=false"]
    ran = subprocess.run(["git", "-C", str(root), *alone, *words], capture_output=True, check=True)
    return ran.stdout.decode(errors="surrogateescape")


def write(root: Path, path: str, content: bytes) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_bytes(content)


def committed(root: Path) -> None:
    git(root, "init", "-q")
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "first")


@pytest.fixture
def nasty(tmp_path: Path) -> Path:
    other, root = tmp_path / "other", tmp_path / "n\u00e4sty repository"
    write(other, "sub.py", OLD.encode())
    committed(other)
    for path, content in FILES.items():
        write(root, path, content)
    Path(os.fsdecode(os.fsencode(root) + b"/" + ODD_NAME)).write_bytes(OLD.encode())
    write(root, "node_modules/gyp/gyp.py", OLD.encode())
    write(root, "big/untracked.bin", b"")
    os.truncate(root / "big" / "untracked.bin", 200 * 2**20)
    for link, to in {"src/pkg/link.py": "crlf.py", "src/gone": "nowhere", "src/out": "/etc", "src/loop": ".."}.items():
        (root / link).symlink_to(to)
    (root / "src" / "pkg" / "crlf.py").chmod(0o755)
    committed(root)
    git(root, "submodule", "--quiet", "add", str(other), "vendor module")
    git(root, "commit", "-q", "-m", "second")
    return root


def contents(root: Path) -> Iterator[tuple[str, object]]:
    """Every file and link of the work tree, with its mode."""
    for place, folders, names in os.walk(os.fsencode(root)):
        folders[:] = [name for name in folders if name not in (b".git", b"big")]
        for name in [*names, *(each for each in folders if os.path.islink(os.path.join(place, each)))]:
            path = os.path.join(place, name)
            shown = os.fsdecode(os.path.relpath(path, os.fsencode(root)))
            if os.path.islink(path):
                yield shown, os.readlink(path)
            elif name != b".git":
                yield shown, (Path(os.fsdecode(path)).read_bytes(), os.stat(path).st_mode)


async def test_the_patch_applies_and_changes_only_what_it_should(nasty: Path) -> None:
    before = dict(contents(nasty))
    async with running(team) as client:
        run = await client.ask(Review(repository=await client.upload(nasty, Repository)), skip=("mypy",))
        await run.wait()
        came = await run.report()
    assert (came.status, exit_code(came, Report), came.missing) == ("decided", 0, ()), came.because
    assert dict(contents(nasty)) == before
    files = team.files(came)

    apply_to(came, {"repository": nasty})
    branch = f"hustings/{came.run}"
    assert set(git(nasty, "diff", "-z", "--name-only", "HEAD", branch).split("\0")) - {""} == CHANGED

    (nasty / ".git" / "merged.patch").write_text(files["merged.patch"], encoding="utf-8")
    git(nasty, "apply", "--check", ".git/merged.patch")
    git(nasty, "apply", ".git/merged.patch")
    git(nasty, "diff", "--exit-code", branch)
    after = dict(contents(nasty))
    assert {path for path in before if after[path] != before[path]} == CHANGED
    assert after.keys() == before.keys()

    texts = {path: (nasty / path).read_bytes() for path in CHANGED}
    assert texts["src/pkg/crlf.py"] == b'NAME = \'name\'\r\nTEXT = """a\r\nb"""\r\n'
    assert texts["src/pkg/mixed.py"] == b"NAME = 'name'\nLAST = 1\r\n"
    assert texts["src/pkg/bom.py"] == b"\xef\xbb\xbfimport os\n" + NEW.encode()  # the mark is in its first line
    assert texts["src/pkg/endless.py"] == NEW.encode() + b"LAST = 'no end of line'"
    assert texts["src/pkg/feed.py"] == NEW.encode() + b"\x0c\nLAST = '\xe2\x80\xa8'\n"
    abouts = {verdict.about for verdict in came.verdicts}
    assert "vendor module/sub.py:origin" in abouts
    assert {"src/pkg/latin.py:encoding", "src/pkg/two.py:syntax", "src/pkg/nul.py:syntax"} <= abouts
    for name in ("review.sarif", "summary.md"):
        files[name].encode()  # no surrogate of the odd name is left
