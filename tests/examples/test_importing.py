"""Which tests reach a change follows from the imports, over other modules, packages and conftest.py."""

from pathlib import Path

from hustings.examples.review_board import read_sources
from hustings.examples.review_board.importing import reaching

from .conftest import Write

FILES = {
    "src/pkg/__init__.py": "from .a import x\n",
    "src/pkg/a.py": "x = 1\n",
    "src/pkg/b.py": "from . import a\n",
    "src/pkg/alone.py": "y = 1\n",
    "src/other.py": "def late():\n    import pkg.b\n",
    "tests/test_pkg.py": "import pkg\n",
    "tests/test_other.py": "import other\n",
    "tests/test_none.py": "import json\n",
    "tests/deep/conftest.py": "from pkg.alone import y\n",
    "tests/deep/test_deep.py": "def test_it():\n    pass\n",
}


def reached(root: Path, *changed: str) -> set[str]:
    return {path.rpartition("/")[2] for path in reaching(read_sources(root), changed)}


def test_a_change_reaches_who_imports_it_however_indirectly(write: Write) -> None:
    root = write(FILES)
    assert reached(root, "src/pkg/a.py") == {"test_pkg.py", "test_other.py", "test_deep.py", "conftest.py"}
    assert reached(root, "src/pkg/b.py") == {"test_other.py"}
    assert reached(root, "src/other.py") == {"test_other.py"}


def test_a_conftest_counts_for_all_tests_below_it(write: Write) -> None:
    assert reached(write(FILES), "src/pkg/alone.py") == {"conftest.py", "test_deep.py"}


def test_a_changed_test_reaches_itself(write: Write) -> None:
    assert reached(write(FILES), "tests/test_none.py") == {"test_none.py"}
