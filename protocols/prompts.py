"""Prompt: a request in pieces, as it lies on the log, and the request again from its pieces."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from pydantic import ValidationError

from .errors import Unreadable
from .message import Data
from .models import Called, ModelReply, ModelRequest, Piece, Turn
from .validation import first_error


def pieces_of(request: ModelRequest) -> Iterator[Piece]:
    """All pieces of a request."""
    yield Piece(kind="limits", value={"max_tokens": request.max_tokens, "effort": request.effort})
    yield Piece(kind="instructions", value=request.instructions)
    if request.tools:
        yield Piece(kind="tools", value=[card.plain() for card in request.tools])
    if request.shape is not None:
        yield Piece(kind="shape", value=request.shape)
    for turn in request.turns:
        yield from parts_of(turn)


def parts_of(turn: Turn) -> Iterator[Piece]:
    """The pieces of one turn."""
    for part in turn.parts:
        yield Piece(kind=turn.role, value=part.plain())


def request_of(call: Called, pieces: Iterable[Piece], before: tuple[ModelRequest, ModelReply] | None) -> ModelRequest:
    """The request of a call from its pieces, each with its value, and from the call that it goes on from.

    Raises Unreadable: they do not make a request, or not the one whose digest is on record.
    """
    given = [*pieces]
    try:
        request = _extended(*before, given) if before else _whole(call.name, given)
    except ValidationError as error:
        raise Unreadable("the recorded request cannot be read", first_error(error)) from None
    if request.digest != call.request:
        raise Unreadable("the recorded request is not the one that was sent", "its digest is another")
    return request.model_copy(update={"model": call.name})


def _whole(model: str, pieces: list[Piece]) -> ModelRequest:
    fields: Data = {piece.kind: piece.value for piece in pieces if piece.kind in ("instructions", "tools", "shape")}
    limits = next((piece.value for piece in pieces if piece.kind == "limits" and isinstance(piece.value, dict)), {})
    request = ModelRequest.of({"model": model, "turns": [], **limits, **fields})
    return request.model_copy(update={"turns": _turns(pieces)})


def _extended(before: ModelRequest, reply: ModelReply, pieces: list[Piece]) -> ModelRequest:
    turns = (*before.turns, Turn(role="assistant", parts=reply.parts), *_turns(pieces))
    return before.model_copy(update={"turns": turns})


def _turns(pieces: Iterable[Piece]) -> tuple[Turn, ...]:
    """Roles alternate, so the pieces of one role that follow each other are a turn."""
    spoken = [piece for piece in pieces if piece.kind in ("user", "assistant", "result")]
    rows = groupby(spoken, lambda piece: "assistant" if piece.kind == "assistant" else "user")
    return tuple(Turn.of({"role": role, "parts": [piece.value for piece in row]}) for role, row in rows)
