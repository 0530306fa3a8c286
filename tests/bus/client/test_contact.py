"""Whatever a URL looks like: its credentials work, or it is refused in words that have nothing of them."""

import json
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hustings.bus import connect
from hustings.bus.client.contact import redact
from hustings.protocols import BadCredentials, BrokerUnavailable

from ..servers import configured

pytestmark = pytest.mark.processes

ODD = "p/w+x=#y?z@w:!&* é\\\"'[]{}|^`<>$;"
SCHEMES = st.sampled_from(["nats://", "tls://", "ws://", "wss://", "NATS://", "Tls://", "nats:", "http://", ""])
SECRETS = st.text(min_size=1) | st.text("/+#?@:,%&= \n\t[]\\\"'abZ09.-", min_size=1)


@given(
    SCHEMES, SECRETS, st.sampled_from(["h:1", "h", "[::1]:1", "h:1,g:2", "h:99999", "h:x", "", "h:1/p?q=1", " h:1\n"])
)
def test_nothing_before_the_last_at_sign_is_shown(scheme: str, secret: str, place: str) -> None:
    """Whole or in part: what is shown is what would be shown of a URL with another secret in it, or nothing at all."""
    assert redact(f"{scheme}{secret}@{place}") in (redact(f"{scheme}tok@{place}"), "***")


@given(st.lists(st.tuples(SCHEMES.filter(bool), SECRETS), min_size=1, max_size=3))
def test_nor_of_several(parts: list[tuple[str, str]]) -> None:
    url = ",".join(f"{scheme}{quote(secret, safe='')}@h:{at}" for at, (scheme, secret) in enumerate(parts, 1))
    assert redact(url) in (redact(",".join(f"{scheme}x@h:{at}" for at, (scheme, _) in enumerate(parts, 1))), "***")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("nats://tok@h:1,nats://u:p@g:2", "nats://h:1,nats://g:2"),
        (" NATS://tok/en+1=@h ", "nats://h:4222"),
        ("u:p@ss@h:1", "nats://h:1"),
        ("u:p://x@h:1", "***"),
        ("a:1,b:2", "nats://a:1,nats://b:2"),
        ("wss://u:p@h/path?key=value", "wss://h"),
        ("nats://u:x,nats://y@h:1", "***"),
        ("nats://tok,en@h:1", "***"),
        ("nats://u%3Ap%40h:1", "***"),
        ("nats://u:%ff@h:1", "***"),
    ],
)
def test_what_is_shown(url: str, shown: str) -> None:
    assert redact(url) == shown


@pytest.mark.parametrize("secret", [ODD, "tok/en+1=", "a%2Fb", "100%"])
async def test_odd_credentials_work(tmp_path: Path, secret: str) -> None:
    """Percent-encoded all do; as they are those in which nothing stands for something else."""
    async with configured(
        tmp_path, _guarded(tmp_path, f"user: me, password: {json.dumps(secret, ensure_ascii=False)}")
    ) as address:
        raw = [secret] if quote(secret, safe=ODD) == secret or secret == "100%" else []
        for written in [quote(secret, safe=""), *raw]:
            async with connect(f"nats://me:{written}@{address}", name="test") as connection:
                assert connection.shown == f"nats://{address}"


@pytest.mark.parametrize("written", ["tok/en+1=#?", "tok%2Fen%2B1%3D%23%3F", "tok/en%2B1=#%3f"])
async def test_so_do_odd_tokens(tmp_path: Path, written: str) -> None:
    async with configured(tmp_path, _guarded(tmp_path, 'token: "tok/en+1=#?"')) as address:
        urls = [f"nats://{written}@{address}", f"{written}@{address}", f"nats://{written}@{address},nats://{address}"]
        for url in urls:
            async with connect(url, name="test"):
                pass


SHAPES = ["nats://{}@{}", "{}@{}", "NATS://u:{}@{}", "\n nats://u:{}@{}\n", "nats://{}@{}/x?y#z", "ws://{}@{}"]
HOSTILE = ["s3cr3t/+#?@", "s3cr3t%2", "s3cr3t,", "s3cr3t, nats://x", "s3cr3t\n", "%ffs3cr3t", "s3cr3t://", "a b s3cr3t"]


@pytest.mark.parametrize("secret", HOSTILE)
async def test_a_refusal_repeats_nothing_of_them(tmp_path: Path, secret: str) -> None:
    """By the server, for want of a port that is one, of a host, of anything behind the @."""
    async with configured(tmp_path, _guarded(tmp_path, "token: another")) as address:
        places = [address, "127.0.0.1:port", "no such host", ""]
        for url in (shape.format(secret, place) for shape in SHAPES for place in places):
            with pytest.raises(BrokerUnavailable) as caught:
                async with connect(url, name="test"):
                    pass
            assert "s3cr3t" not in f"{caught.value!r} {caught.value} {caught.value.hint}"


async def test_servers_of_several_credentials(tmp_path: Path) -> None:
    """Each server is told its own."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    async with configured(tmp_path / "one", _guarded(tmp_path / "one", "token: first")) as one:
        async with connect(f"nats://first@{one},nats://me:other@127.0.0.1:1", name="test"):
            pass
        with pytest.raises(BadCredentials):
            async with connect(f"nats://me:other@{one},nats://first@127.0.0.1:1", name="test"):
                pass


def _guarded(folder: Path, users: str) -> str:
    return f'jetstream {{ store_dir: "{folder}" }}\nauthorization {{ {users} }}'
