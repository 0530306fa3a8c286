"""structlog, imported without rich, which is for tracebacks on terminals; our processes log JSON lines."""

import sys

_hidden = "rich" not in sys.modules
if _hidden:
    sys.modules["rich"] = None  # type: ignore[assignment]  # structlog.dev works without it; this saves 60 ms CPU a process
import structlog  # noqa: E402

if _hidden:
    del sys.modules["rich"]

__all__ = ["structlog"]
