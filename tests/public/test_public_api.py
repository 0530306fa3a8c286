"""The public API and the messages are the ones that were reviewed."""

from . import api, messages


def test_the_public_api_is_as_it_was_reviewed() -> None:
    """Names and signatures; whoever changes them writes the file anew with `make api`, and the review sees it."""
    assert api.public_api().splitlines() == api.FILE.read_text().splitlines()


def test_the_messages_are_as_they_were_reviewed() -> None:
    """Contracts and fields; other versions read them: "Versions of messages" in CONTRIBUTING.md, then `make api`."""
    assert messages.written(messages.messages()).splitlines() == messages.FILE.read_text().splitlines()
