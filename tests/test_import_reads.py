"""To import a module of ours reads neither the working directory nor the environment."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

# In a child process, because a module is imported once. A read belongs to the innermost frame that is not of the
# standard library: what pydantic or rich read for themselves when they are imported is theirs.
WATCH = """
import os, pathlib, sys, sysconfig, traceback

STDLIB, SITE = sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")
OURS = sys.argv[1].split(os.pathsep)
found = set()

def note(what):
    for frame, line in traceback.walk_stack(sys._getframe(2)):
        file = frame.f_code.co_filename
        if file.startswith("<frozen") or (file.startswith(STDLIB) and not file.startswith(SITE)):
            continue
        if any(file.startswith(folder) for folder in OURS):
            found.add(f"{file}:{line} reads {what}")
        return

class Watched(type(os.environ)):
    def __getitem__(self, key):
        note(f"the environment ({key})")
        return super().__getitem__(key)

    def __iter__(self):
        note("the environment")
        return super().__iter__()

def opened(event, args):
    if event in ("open", "os.listdir", "os.scandir") and isinstance(args[0], str) and not os.path.isabs(args[0]):
        note(f"{args[0]!r} in the working directory")

def watched(getcwd):
    def read():
        note("the working directory")
        return getcwd()
    return read

sys.addaudithook(opened)
os.getcwd, os.getcwdb = watched(os.getcwd), watched(os.getcwdb)
os.environ.__class__ = Watched
for name in sys.argv[2:]:
    __import__(name)
print(*sorted(found), sep="\\n")
"""


def reads(folders: list[Path], modules: list[str]) -> list[str]:
    """What the modules read when a fresh interpreter imports them all."""
    command = [sys.executable, "-c", WATCH, ":".join(map(str, folders)), *modules]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    return said.stdout.split("\n")[:-1] if said.stdout.strip() else []


@pytest.mark.processes
def test_no_import_reads_the_working_directory_or_the_environment() -> None:
    """So a team means the same in every folder, and what a process does is decided when it is told to do it."""
    layers = [ROOT / layer for layer in ("protocols", "bus", "agents", "examples", "hustings")]
    files = [file for layer in layers[:-1] for file in sorted(layer.rglob("*.py")) if file.name != "__main__.py"]
    modules = [".".join(("hustings", *file.relative_to(ROOT).with_suffix("").parts)) for file in files]
    assert len(modules) > 200
    assert reads(layers, [module.removesuffix(".__init__") for module in modules]) == []


READERS = {
    "by_get": "import os; os.environ.get('HOME')",
    "by_getenv": "import os; os.getenv('HOME')",
    "by_copy": "import os; {**os.environ}",
    "by_cwd": "from pathlib import Path; Path.cwd()",
    "by_resolve": "from pathlib import Path; Path('x').resolve()",
    "by_home": "from pathlib import Path; Path.home()",
    "by_open": "open('by_get.py').close()",
    "by_list": "import os; os.listdir('.')",
}


@pytest.mark.processes
def test_each_way_to_read_is_seen_and_others_reads_are_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However a module reads, also through the standard library; but not what a library reads that it imports."""
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder in (ours, theirs):
        folder.mkdir()
    for name, text in READERS.items():
        (ours / f"{name}.py").write_text(text)
    (theirs / "library.py").write_text("; ".join(READERS.values()))
    (ours / "user.py").write_text("import os, library; there = os.environ")
    monkeypatch.chdir(ours)
    monkeypatch.setenv("PYTHONPATH", f"{ours}:{theirs}")
    found = reads([ours], [*READERS, "user"])
    assert {Path(each.partition(":")[0]).stem for each in found} == {*READERS}
