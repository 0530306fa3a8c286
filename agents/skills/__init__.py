"""What a skill is and may do: specialist reads its signature, attempt runs it once, context is what it is given.

journal has on the log what an attempt called, asked and reserved of its budget; ask, model_calls and conversation go
through it; leash ends what swallows its cancellation. It may import protocols, bus, observe and models.
"""

__all__: list[str] = []
