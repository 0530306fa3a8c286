"""Checkout: the repository around the folder that is reviewed, and whose settings its tools fall back on."""

from pathlib import Path


def upwards(root: Path) -> list[Path]:
    """The folder, and those above it up to the root of the checkout; without a checkout only the folder."""
    root = root.resolve()
    above = [root, *root.parents]
    tops = [place for place, folder in enumerate(above) if (folder / ".git").exists()]
    return above[: tops[0] + 1] if tops else [root]


def top_of(root: Path) -> Path:
    """The root of the checkout; without one the folder itself."""
    return upwards(root)[-1]


def nearest(root: Path, name: str, mark: str = "") -> Path | None:
    """The file of this name that has this text, in the folder or in the nearest one above it."""
    files = (folder / name for folder in upwards(root))
    return next((path for path in files if path.is_file() and mark in lenient(path)), None)


def place_in(root: Path, folder: Path) -> str:
    """The path of the folder within one above it, with a slash behind it; empty if they are the same."""
    place = root.resolve().relative_to(folder.resolve()).as_posix()
    return "" if place == "." else f"{place}/"


def lenient(path: Path) -> str:
    """The text of a file; what is not UTF-8 is replaced."""
    return path.read_bytes().decode(errors="replace")


def fence(root: Path) -> None:
    """Mark the folder as the root of its checkout if it is in none: isort, mypy and others look for settings no
    further."""
    if not (top_of(root) / ".git").exists():
        (root / ".git").mkdir()
