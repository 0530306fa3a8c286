"""Run as a script by the interpreter of a repository: print as JSON what some distributions bring. Imports nothing of
ours."""

import json
import re
import sys
from importlib import metadata


def brought(name: str) -> "dict[str, object] | None":
    """Its version, its top-level modules, what it requires, and whether others may find it by an entry point; None if
    it is not installed."""
    try:
        found = metadata.distribution(name)
    except (metadata.PackageNotFoundError, ValueError):
        return None
    tops = {part.parts[0].partition(".")[0] for part in found.files or () if str(part).endswith((".py", ".so", ".pyd"))}
    modules = sorted(top for top in tops if top.isidentifier()) or (found.read_text("top_level.txt") or "").split()
    requires = [re.split(r"[^\w.-]", each)[0] for each in found.requires or ()]
    plugin = any(point.group != "console_scripts" for point in found.entry_points)
    return {"version": found.version, "modules": modules, "requires": requires, "plugin": plugin}


if __name__ == "__main__":
    sys.stdout.write(json.dumps({name: brought(name) for name in sys.argv[1:]}))
