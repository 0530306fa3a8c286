"""A small repository to review: re-exports that tools want to drop, dead-looking code, one test that fails already."""

from pathlib import Path
from textwrap import dedent
from typing import Protocol

import pytest

SHOP = {
    "README.md": """
        # shop

        `shop.catalogue.discount(price)` is for your own scripts.
        """,
    "shop/__init__.py": '''
        """A shop."""
        from __future__ import absolute_import

        from .catalogue import Catalogue, Price
        from .compat import Text

        __all__ = ["Catalogue"]


        def greet(name):
            return u"Hello, %s" % (Text(name),)
        ''',
    "shop/compat.py": '''
        """What differed between versions of Python."""
        import os

        from io import BytesIO, StringIO

        from collections import OrderedDict

        Text = str


        def buffer(text):
            return StringIO(text)
        ''',
    "shop/catalogue.py": '''
        """What there is to buy."""
        import sys, re


        class Price(object):
            def __init__(self, amount):
                self.amount = amount

            def __eq__(self, other):
                return isinstance(other, Price) and self.amount == other.amount


        class Catalogue(object):
            def __init__(self):
                self.prices = dict([("apple", Price(3)), ("pear", Price(4))])

            def price(self, name):
                return self.prices[re.sub(r"\\s", "", name)]

            def cheapest(self):
                return sorted(self.prices, key=lambda name: self.prices[name].amount)[0]


        def discount(price):
            return Price(price.amount - 1)


        def forgotten():
            return 1
        ''',
    "shop/tests/__init__.py": "",
    "shop/tests/test_shop.py": """
        import importlib
        import os
        import unittest

        import shop
        from shop.compat import BytesIO, buffer


        class ShopTest(unittest.TestCase):
            def test_price(self):
                self.assertEqual(shop.Price(3), shop.Catalogue().price(u"app le"))

            def test_greeting(self):
                self.assertEqual("Hello, Ann", shop.greet("Ann"))

            def test_buffers(self):
                self.assertEqual(b"", BytesIO().read())
                self.assertEqual("a", buffer("a").read())

            def test_order_is_reached_by_name(self):
                compat = importlib.import_module("shop.compat")
                self.assertEqual({}, getattr(compat, "Ordered" + "Dict")())

            def test_the_copy_is_what_is_imported(self):
                here = os.path.realpath(os.getcwd())
                self.assertEqual(here, os.path.dirname(os.path.dirname(os.path.realpath(shop.__file__))))

            def test_that_fails_already(self):
                self.assertEqual("pear", shop.Catalogue().cheapest())

            @unittest.skip("not today")
            def test_skipped(self):
                pass
        """,
}


class Write(Protocol):
    """Write the files, dedented, into a fresh folder of this name and return it."""

    def __call__(self, files: dict[str, str], name: str = "repository") -> Path: ...


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Make a repository of one's own."""

    def writer(files: dict[str, str], name: str = "repository") -> Path:
        root = tmp_path / name
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(dedent(text).lstrip("\n").encode())
        return root

    return writer


@pytest.fixture
def shop(write: Write) -> Path:
    """The repository, freshly written."""
    return write(SHOP)


OLD = {
    "shop/old.py": '''
        """Written long ago, with a word mispelled."""
        import sys
        import os


        TOKEN = "hunter2"


        def describe(name, amount=None, colour=None):
            lines = ["%s" % name]
            if amount is not None:
                lines.append("{}: {}".format("amount", amount))
            if colour is not None:
                lines.append("%s: %s" % ("colour", colour))
            return os.linesep.join(lines)


        class Shelf(object):
            def __init__(self, width = 3,height=2):
                super(Shelf, self).__init__()
                self.size = {"width":width,"height":height}

            def area(self):
                return self.size["width"]*self.size["height"]

            def __repr__(self):
                return u"Shelf(%d, %d)" % (self.size["width"], self.size["height"])


        def kind(amount):
            if amount == 0:
                return "none"
            elif amount == 1:
                return "one"
            elif amount == 2:
                return "two"
            elif amount < 5 and amount > 2:
                return "few"
            elif amount < 10 or amount == 12:
                return "some"
            elif amount < 20:
                return "many"
            elif amount < 100:
                return "lots"
            elif amount < 1000:
                return "heaps"
            return "all"
        ''',
    "shop/tests/test_old.py": """
        import unittest

        from shop.old import Shelf, describe, kind


        class OldTest(unittest.TestCase):
            def test_describe(self):
                self.assertEqual(["a", "amount: 1", "colour: red"], describe("a", 1, "red").splitlines())

            def test_shelf(self):
                self.assertEqual("Shelf(3, 2)", repr(Shelf()))
                self.assertEqual(6, Shelf().area())

            def test_kind(self):
                self.assertEqual(["none", "few", "all"], [kind(n) for n in (0, 4, 9999)])
        """,
}
