"""What all verbs share: settings, options, errors, output, loading of a team, and the way to a broker and a run.
It may import everything of agents but the verbs; what --help needs of it imports neither NATS nor pydantic.
"""

__all__: list[str] = []
