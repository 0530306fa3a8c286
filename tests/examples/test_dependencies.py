"""The dependency guard: what is declared is used, and what is needed is declared; in doubt it says nothing."""

from pathlib import Path

import pytest

from hustings.examples.review_board import dependency_claims
from hustings.protocols import Claim

from .conftest import Write

PROJECT = '[project]\nname = "shop"\ndependencies = [\n  "click>=8",\n  "rich",\n]\n'
USES = "import click\nimport rich.table\n"


def claims(root: Path) -> list[Claim]:
    return list(dependency_claims(root).claims)


def said(root: Path) -> list[tuple[str, object, str]]:
    return [(claim.about, claim.value, claim.evidence[0].source) for claim in claims(root)]


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("pyproject.toml", PROJECT, 5),
        ("pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.11"\nclick = "^8"\nrich = "^14"\n', 4),
        ("setup.cfg", "[options]\ninstall_requires =\n  click\n  rich\n", 4),
        ("setup.py", "from setuptools import setup\nsetup(install_requires=[\n'click',\n'rich'])\n", 4),
        ("requirements.txt", "click==8.2\nrich==14.0\n", 2),
    ],
)
def test_what_is_declared_is_used(name: str, text: str, line: int, write: Write) -> None:
    """Whatever the file; the claim has the line that declares it."""
    root = write({name: text, "shop/__init__.py": "import click\n"})
    assert said(root) == [("dependency:rich", "unused", f"{name}:{line}")]
    assert claims(root)[0].evidence[1].says.startswith("no import of rich in ")


@pytest.mark.parametrize(
    "files",
    [
        {"shop/__init__.py": USES},
        {"shop/__init__.py": "import click\n", "tests/test_a.py": "import rich\n"},
        {"shop/__init__.py": "import click\n\n\ndef f():\n    import rich\n"},
        {"shop/__init__.py": "import click\nPLUGINS = ['rich.pretty']\n"},
        {"shop/__init__.py": "import click\n", "Makefile": "x:\n\tpython -m rich\n"},
        {"shop/__init__.py": "import click\n", "pyproject.toml": PROJECT.replace('"rich",', '"rich",  # pinned')},
        {"shop/__init__.py": "import click\n", "pyproject.toml": PROJECT.replace('"rich"', '"no-such-package"')},
        {"shop/__init__.py": "import click\n", "pyproject.toml": PROJECT.replace('"rich"', '"pytest-xdist"')},
    ],
)
def test_what_may_be_used_is_not_claimed(files: dict[str, str], write: Write) -> None:
    """Imported anywhere, named in a string or a setting, explained by a comment, unknown, or a plugin."""
    assert not claims(write({"pyproject.toml": PROJECT, **files}))


def test_what_a_package_cannot_be_imported_without_is_declared(write: Write) -> None:
    """With the way that leads there."""
    files = {"shop/__init__.py": f"{USES}from . import cart\n", "shop/cart.py": "import structlog\n"}
    root = write({"pyproject.toml": PROJECT, **files})
    assert said(root) == [("dependency:structlog", "undeclared", "shop/cart.py:1")]
    [claim] = claims(root)
    assert claim.evidence[1].says == "import shop leads here: shop -> shop.cart"
    assert claim.evidence[-1].says == "error"


@pytest.mark.parametrize(
    "text",
    [
        "try:\n    import structlog\nexcept ImportError:\n    structlog = None\n",
        "import sys\nif sys.version_info < (3, 9):\n    import structlog\n",
        "def f():\n    import structlog\n",
        "import os, sys, shop.cart\nfrom . import cart\n",
        "import distutils\n",
    ],
)
def test_what_may_be_missing_need_not_be_declared(text: str, write: Write) -> None:
    """Optional, conditional and late imports, the standard library of any version, and the package itself."""
    assert not claims(write({"pyproject.toml": PROJECT, "shop/__init__.py": USES + text, "shop/cart.py": ""}))


def test_a_module_that_nothing_imports_needs_nothing(write: Write) -> None:
    files = {"shop/__init__.py": USES, "shop/contrib.py": "import structlog\n", "docs/conf.py": "import sphinx\n"}
    assert not claims(write({"pyproject.toml": PROJECT, **files}))


def test_what_an_unknown_distribution_may_bring_is_not_claimed(write: Write) -> None:
    """A declared one that is not installed could bring any module, but not one known to be another's."""
    project = PROJECT.replace('"rich",', '"rich", "no-such-package",')
    assert not claims(write({"pyproject.toml": project, "shop/__init__.py": USES + "import whatever\n"}, "one"))
    assert claims(write({"pyproject.toml": project, "shop/__init__.py": USES + "import structlog\n"}, "two"))


def test_a_repository_that_declares_nothing_hears_nothing(write: Write) -> None:
    assert not claims(write({"shop/__init__.py": "import structlog\n"}))
