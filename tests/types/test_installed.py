"""The front door's types as somebody has them who installed the wheel: mypy and pyright, both strict."""

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[2]
CONFIG = {
    "include": ["front_door.py"],
    "extraPaths": ["site"],
    "typeCheckingMode": "strict",
    "pythonVersion": "3.11",
    "enableTypeIgnoreComments": True,
    "reportUnnecessaryTypeIgnoreComment": "error",
}
CHECKERS = {
    "mypy": ["mypy", "--strict", "--config-file=", "front_door.py"],
    "pyright": ["basedpyright", "--pythonpath", sys.executable],
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what an author wrote, and the unpacked wheel in site/."""
    place = tmp_path_factory.mktemp("installed")
    left = shutil.ignore_patterns(".*", "tests", "docs", "build", "*.egg-info", "__pycache__")
    shutil.copytree(ROOT, place / "sources", ignore=left)
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(place), str(place / "sources")]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = place.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place / "site")
    shutil.copy(ROOT / "tests/types/front_door.py", place)
    (place / "pyrightconfig.json").write_text(json.dumps(CONFIG))
    return place


@pytest.mark.long
@pytest.mark.parametrize("checker", CHECKERS)
def test_the_front_door_is_typed_in_the_wheel(place: Path, checker: str) -> None:
    command = [str(Path(sys.executable).parent / CHECKERS[checker][0]), *CHECKERS[checker][1:]]
    done = subprocess.run(command, cwd=place, env={"MYPYPATH": "site"}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
