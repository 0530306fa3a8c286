"""What models cost: known, estimated, and overridden."""

import tomllib
from datetime import date
from importlib.resources import files
from pathlib import Path

import pytest

from hustings.agents.models import prices
from hustings.protocols import Usage, UsageError

MILLION = 1_000_000


def test_each_way_of_using_tokens_has_its_price() -> None:
    """US dollars per million tokens: input, output, and the cache read and written."""
    usage = Usage(input=MILLION, output=MILLION, cache_read=MILLION, cache_write=MILLION)
    cost, known = prices({}).cost("anthropic:claude-sonnet-5-5", usage)
    assert known
    assert cost == pytest.approx(2 + 10 + 0.2 + 2.5)


def test_the_file_is_dated_and_all_its_rows_are_offers() -> None:
    """Each has prices, a stated quality and a typical time; the rows that were not checked say so."""
    shipped = tomllib.loads((files("hustings.agents.models") / "prices.toml").read_text())
    assert isinstance(shipped["date"], date)
    for name in shipped["models"]:
        offer = prices({}).offer(name)
        assert offer.output >= offer.input > 0, name
        assert 0 < offer.quality < 1, name
        assert offer.seconds > 0, name
    assert not prices({}).offer("anthropic:claude-fable-5-2").known


def test_long_requests_cost_more_where_the_vendor_says_so() -> None:
    """Haiku is dearer beyond 100,000 tokens of input, however they were read."""
    short, _ = prices({}).cost("anthropic:claude-haiku-5-5", Usage(input=100_000))
    long, _ = prices({}).cost("anthropic:claude-haiku-5-5", Usage(input=99_999, cache_read=2))
    assert short == pytest.approx(0.01)
    assert long == pytest.approx(0.05, rel=1e-3)


@pytest.mark.parametrize("name", ["anthropic:claude-haiku-4-5", "openai:gpt-6-sol"])
@pytest.mark.parametrize("date", ["-20251001", "-2026-09-22"])
def test_a_dated_name_is_the_same_model(name: str, date: str) -> None:
    """A snapshot costs what its model does."""
    assert prices({}).offer(name + date) == prices({}).offer(name)


@pytest.mark.parametrize(
    ("name", "like"),
    [
        ("anthropic:claude-sonnet-6", "anthropic:claude-sonnet-5-5"),
        ("proxy:claude-opus-5-5", "anthropic:claude-opus-5-5"),
        ("local:llama", "*"),
        ("*", "*"),
    ],
)
def test_a_stranger_costs_about_what_its_family_does(name: str, like: str) -> None:
    """An estimate, and said to be one; whoever serves the model."""
    offer = prices({}).offer(name)
    assert not offer.known
    assert offer.output == prices({}).offer(like).output


def test_rows_of_your_own_override(tmp_path: Path) -> None:
    """HUSTINGS_PRICES names a file whose rows count, the others stay."""
    file = tmp_path / "mine.toml"
    file.write_text(
        '[models."local:llama"]\ninput = 0.0\noutput = 0.0\ncache_read = 0.0\ncache_write = 0.0\n'
        '[models."anthropic:claude-opus-5-5"]\ninput = 1.0\noutput = 1.0\ncache_read = 1.0\ncache_write = 1.0\n'
    )
    mine = prices({"HUSTINGS_PRICES": str(file)})
    assert mine.cost("local:llama", Usage(output=MILLION)) == (0.0, True)
    assert mine.cost("anthropic:claude-opus-5-5", Usage(output=MILLION)) == (1.0, True)
    assert mine.offer("anthropic:claude-sonnet-5-5") == prices({}).offer("anthropic:claude-sonnet-5-5")


@pytest.mark.parametrize(
    "text", ["[models", "models = 1", '[models."a:b"]\ninput = 1.0', '[models."a:b"]\nprice = 1.0']
)
def test_bad_prices_are_refused(text: str, tmp_path: Path) -> None:
    """Never a silent zero: a row needs its four prices and knows no other words."""
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(UsageError, match=r"mine\.toml"):
        prices({"HUSTINGS_PRICES": str(file)})
    with pytest.raises(UsageError, match="cannot be read"):
        prices({"HUSTINGS_PRICES": str(tmp_path / "missing.toml")})
