"""How it is carried: broker, connection, log, inbox, live, blobs, layout."""

__all__: list[str] = []
