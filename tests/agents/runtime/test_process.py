"""What a process lets its neighbours see."""

import ctypes
import subprocess
import sys

import pytest

PR_CAPBSET_DROP, CAPABILITIES = 24, 41
WAITS = """
import os, sys
{hides}
print(os.getpid(), flush=True)
sys.stdin.read()
"""
HIDES = "from hustings.agents.runtime.process import keep_to_itself\nkeep_to_itself()"
LOOKS = "import sys; print(open(f'/proc/{sys.argv[1]}/environ').read())"


def without_rights() -> None:
    """Before the process begins: it may do nothing that another user may not, also where these tests are root."""
    for capability in range(CAPABILITIES):
        ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)


def python(code: str, *args: str, **env: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", code, *args],
        env=env,
        preexec_fn=without_rights,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.processes
@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for it")
@pytest.mark.parametrize(("hides", "seen"), [(HIDES, False), ("", True)], ids=["ours", "any other"])
def test_no_process_of_the_same_user_reads_our_environment(hides: str, seen: bool) -> None:
    with python(WAITS.format(hides=hides), SECRET="s3cret") as ours:
        assert ours.stdout
        pid = ours.stdout.readline().strip()
        assert pid, ours.communicate()
        with python(LOOKS, pid) as neighbour:
            out, err = neighbour.communicate(timeout=60)
        ours.communicate(timeout=60)
    assert ("SECRET=s3cret" in out) == seen
    assert ("PermissionError" in err) != seen
