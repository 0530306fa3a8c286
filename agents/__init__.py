"""Who speaks: specialists, workers, the coordinator, the supervisor, clients, the command line."""

__all__: list[str] = []
