"""Four of the packages in full: fetched, an environment built, reviewed, proved, and judged without the board."""

from pathlib import Path

import pytest

from .packages import Package, packages
from .reviewing import reviewed

pytestmark = [pytest.mark.processes, pytest.mark.long]


@pytest.mark.parametrize("package", [each for each in packages() if each.quick], ids=lambda package: package.name)
def test_a_package_is_proved_in_its_own_environment_and_its_tests_see_nothing_broken(
    package: Package, tmp_path: Path
) -> None:
    came = reviewed(package, tmp_path)
    assert came.good, (came.code, came.proof, came.broken)
    assert came.report.status == "decided"
