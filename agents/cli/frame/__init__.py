"""What all verbs share: settings, options, errors, output, loading a team, finding a broker and a run.
It may import all of agents except the verbs; the modules that --help needs import neither NATS nor pydantic.
"""

__all__: list[str] = []
