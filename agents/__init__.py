"""Who speaks: specialists, workers, the coordinator, the supervisor, clients, the command line."""

from .context import TaskContext
from .specialist import Specialist

__all__ = ["Specialist", "TaskContext"]
