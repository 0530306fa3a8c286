"""Run as a script in the sandbox: compile files and import modules, and write down what fails. Imports nothing of ours.

Reads {"files": [...], "modules": [...]} from argv[1] and writes {name: error} to argv[2] as JSON lines.
"""

import importlib
import json
import sys
from pathlib import Path


def fails(kind: str, name: str) -> str:
    """Why the file does not compile or the module does not import; empty if it does."""
    try:
        if kind == "files":
            compile(Path(name).read_bytes(), name, "exec", dont_inherit=True)
        else:
            importlib.import_module(name)
    except BaseException as error:  # noqa: BLE001 - whatever the code under test raises is the answer
        return f"{type(error).__name__}: {error}"[:500]
    return ""


def main() -> None:
    """`importer.py WANTED RECORD`"""
    wanted = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    with open(sys.argv[2], "a", encoding="utf-8") as record:
        for kind in ("files", "modules"):
            for name in wanted[kind]:
                record.write(json.dumps([name, fails(kind, name)]) + "\n")
                record.flush()


if __name__ == "__main__":
    main()
