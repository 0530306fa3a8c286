"""The docs guard: what is written and not there is claimed; what may be there, or speaks of the past, is not."""

from pathlib import Path

import pytest

from hustings.examples.review_board import misdocumented
from hustings.protocols import Claim

from .conftest import Write

CODE = {
    "src/shop/__init__.py": '"""A shop."""\nfrom .cart import Cart\n\n\ndef price(name):\n    return 1\n',
    "src/shop/cart.py": "class Cart:\n    size = 0\n\n    def add(self, name):\n        self.names = [name]\n",
    "src/shop/lazy.py": "def __getattr__(name):\n    return 1\n",
    "src/shop/fast.pyx": "",
}


def claims(root: Path) -> list[Claim]:
    return list(misdocumented(root).claims)


def names(root: Path) -> list[tuple[str, str]]:
    """Where, and what is missing."""
    return [(claim.evidence[0].source, claim.about.split(":")[2]) for claim in claims(root)]


@pytest.mark.parametrize(
    ("page", "missing"),
    [
        ("Call `shop.pricing()`.", ("README.md:1", "shop.pricing")),
        ("See {func}`shop.pricing`.", ("README.md:1", "shop.pricing")),
        ("# A\n\n```python\nfrom shop import Card\n```\n", ("README.md:4", "shop.Card")),
        ("```py\nimport shop\n\nprint(shop.cost('a'))\n```\n", ("README.md:4", "shop.cost")),
        (">>> from shop.cart import Basket\n>>> Basket()\n", ("README.md:1", "shop.cart.Basket")),
        ("```pycon\n>>> import shop.basket\n```", ("README.md:2", "shop.basket")),
        ("`shop.Cart.add` and `shop.cart.Cart.remove`", ("README.md:1", "shop.cart.Cart.remove")),
    ],
)
def test_a_name_that_is_written_as_code_has_to_be_there(page: str, missing: tuple[str, str], write: Write) -> None:
    """With the line that writes it, and the place of what lacks it."""
    root = write({**CODE, "README.md": page})
    assert names(root) == [missing]
    [claim] = claims(root)
    assert [evidence.kind for evidence in claim.evidence] == ["source", "source", "source", "severity"]
    assert claim.evidence[2].source.startswith("src/shop/")


@pytest.mark.parametrize(
    "page",
    [
        "Call `shop.price('a')`, `shop.price()`, `shop.cart.Cart`, `shop.Cart.names`.",
        "The file `shop.toml`, the host `shop.example.com`, the page `shop.html`.",
        "A shop.pricing that is no code.",
        "`shop.lazy.anything`, `shop.fast.anything`, `shop.__version__`",
        "`shop.pricing` was removed, use `shop.price`.",
        "```python\n# was renamed\nfrom shop import Card\n```",
        "```python\ntry:\n    from shop import Card\nexcept:\n```",
        "```\nfrom shop import Card\n```",
        "```python\nshop = make()\nshop.sell()\n```",
        "```python\nfrom elsewhere import Card\n```",
        "{ref}`shop.pricing`",
    ],
)
def test_what_is_there_or_may_be_is_not_claimed(page: str, write: Write) -> None:
    """Dynamic names, compiled modules, files, what speaks of the past, what is no code, what does not parse."""
    assert not claims(write({**CODE, "README.md": page}))


def test_sphinx_is_read_as_sphinx_reads_it(write: Write) -> None:
    page = """
        Shop
        ====

        .. currentmodule:: shop.cart

        .. autoclass:: Cart

           .. automethod:: nothing

        .. autoclass:: Basket

        .. autofunction:: shop.price

        See :func:`~shop.pricing`.

        .. code-block:: python

            from shop import prise
        """
    root = write({**CODE, "docs/api.rst": page})
    lacks = [
        ("docs/api.rst:10", "shop.cart.Basket"),
        ("docs/api.rst:14", "shop.pricing"),
        ("docs/api.rst:18", "shop.prise"),
    ]
    assert names(root) == lacks
    assert claims(root)[2].because == "shop has no prise; there is price"


def test_change_logs_and_tests_are_no_documentation(write: Write) -> None:
    text = "Call `shop.pricing()`."
    pages = dict.fromkeys(("CHANGELOG.md", "docs/history/one.md", "tests/README.md", "notes/a.md"), text)
    assert not claims(write({**CODE, **pages, "tests/test_a.py": f'"""{text}"""\n'}))


def test_a_docstring_names_what_is_there(write: Write) -> None:
    text = '"""Sells.\n\nUse `shop.pricing()`.\n"""\n'
    assert names(write({**CODE, "src/shop/sell.py": text})) == [("src/shop/sell.py:3", "shop.pricing")]


SPHINX = ":param kind: a kind\n    :param int amount: how many"
GOOGLE = """Args:
        kind (str): a kind
            of things: many
        amount: how many

    Returns:
        this: that"""
NUMPY = """Parameters
    ----------
    kind : str
        a: b
    amount, number : int

    Returns
    -------
    x : int"""


@pytest.mark.parametrize("style", [SPHINX, GOOGLE, NUMPY])
def test_a_described_parameter_is_one_that_the_function_takes(style: str, write: Write) -> None:
    """In each of the three styles; what is described below other headings is no parameter."""
    root = write({"shop/__init__.py": f'def sell(kind, number):\n    """Sells.\n\n    {style}\n    """\n'})
    [claim] = claims(root)
    assert claim.about.endswith(":sell(amount):documented-parameter")
    line = (root / "shop/__init__.py").read_text().splitlines()[int(claim.evidence[0].source.split(":")[1]) - 1]
    assert "amount" in line
    assert "sell takes kind, number" in claim.evidence[2].says


@pytest.mark.parametrize(
    "head",
    ["def sell(kind, **more):", "def sell(*kind):", "@wraps(f)\ndef sell(kind):", "@property\ndef sell(self):",
     "def sell(kind, *, amount):",
     "@dataclass\nclass Sell:", "class Sell(Base):"],
)  # fmt: skip
def test_who_may_take_more_is_left_out(head: str, write: Write) -> None:
    assert not claims(write({"shop/__init__.py": f'{head}\n    """Sells.\n\n    {SPHINX}\n    """\n'}))


def test_the_docstring_of_a_class_describes_how_it_is_made(write: Write) -> None:
    text = f'class Sell:\n    """Sells.\n\n    {SPHINX}\n    """\n\n    def __init__(self, kind):\n        pass\n'
    [claim] = claims(write({"shop/__init__.py": text}))
    assert claim.evidence[0].source == "shop/__init__.py:5"
