"""Home: the folder of a team's broker, logs and reports, `.hustings`."""

from pathlib import Path


def make_home(home: Path) -> Path:
    """The folder, made if it is missing. What lies there has prompts, results and credentials: a new one can be entered
    by its owner only, and git ignores all in it. Raises OSError."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (ignore := home / ".gitignore").exists():
        ignore.write_text("*\n")
    return home
