"""`./cloudstead`: installs when it must, and otherwise becomes the program at once. Nothing is fetched here."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "cloudstead"

#: Stands for uv: notes what it was asked for, and makes what it would.
UV = """#!/bin/sh
echo "$@" >> "$(dirname "$0")/asked"
[ -n "$FAIL" ] && exit 7
case "$1" in
venv) for last; do :; done; mkdir -p "$last/bin"; ln -sf %(python)s "$last/bin/python" ;;
pip) cat > "%(program)s" <<'END'
#!/bin/sh
echo "$CLOUDSTEAD_COMMAND $*"
END
chmod +x "%(program)s" ;;
esac
"""


class Checkout:
    def __init__(self, root):
        self.root = root
        self.tools = root / "tools"
        self.tools.mkdir(parents=True)
        self.script = shutil.copy(SCRIPT, root / "cloudstead")
        (root / "pyproject.toml").write_text("one\n")
        self.program = root / ".venv" / "bin" / "cloudstead"
        uv = self.tools / "uv"
        uv.write_text(UV % {"python": sys.executable, "program": self.program})
        uv.chmod(0o755)

    def __call__(self, *words, status=0, **environment):
        done = subprocess.run(
            [sys.executable, str(self.script), *words],
            env={"PATH": f"{self.tools}:/usr/bin:/bin", **environment},
            cwd="/",
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.returncode == status, done.stderr
        return done.stdout

    def asked(self):
        """What uv was asked for since the last look."""
        note = self.tools / "asked"
        said = [line.split()[0] for line in note.read_text().splitlines()] if note.exists() else []
        extras = "[dev]" in note.read_text() if note.exists() else False
        note.unlink(missing_ok=True)
        return said, extras


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path / "a folder")


def test_the_first_call_installs_and_the_next_does_not(checkout):
    assert checkout("up", "--detach") == f"{checkout.script} up --detach\n"
    assert checkout.asked() == (["venv", "pip"], False)
    assert checkout("status") == f"{checkout.script} status\n"
    assert checkout.asked() == ([], False)


def test_it_installs_again_when_what_it_needs_changed_or_it_was_moved(checkout, tmp_path):
    checkout("up")
    checkout.asked()
    (checkout.root / "pyproject.toml").write_text("two\n")
    checkout("up")
    assert checkout.asked() == (["pip"], False)
    moved = tmp_path / "moved"
    shutil.copytree(checkout.root, moved, symlinks=True)
    checkout.script = moved / "cloudstead"
    checkout.tools = moved / "tools"
    checkout("up")
    assert checkout.asked() == (["pip"], False)


def test_tests_need_more_and_what_they_need_stays(checkout):
    checkout("up")
    assert checkout.asked() == (["venv", "pip"], False)
    checkout("test")
    assert checkout.asked() == (["pip"], True)
    checkout("test")
    assert checkout.asked() == ([], False)
    (checkout.root / "pyproject.toml").write_text("two\n")
    checkout("up")
    assert checkout.asked() == (["pip"], True)


def test_an_install_that_failed_is_begun_again(checkout):
    checkout("up", status=1, FAIL="1")
    checkout.asked()
    assert checkout("up") == f"{checkout.script} up\n"


def test_an_environment_whose_python_is_gone_is_made_anew(checkout):
    checkout("up")
    checkout.asked()
    checkout.program.unlink()
    (checkout.root / ".venv/bin/python").unlink()
    (checkout.root / ".venv/bin/python").symlink_to("/nonexistent")
    checkout("up")
    assert checkout.asked() == (["venv", "pip"], False)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to be no longer")
def test_under_sudo_the_environment_belongs_to_the_checkouts_owner():
    with tempfile.TemporaryDirectory() as folder:  # a place where others may go
        Path(folder).chmod(0o755)
        checkout = Checkout(Path(folder) / "checkout")
        person = pwd.getpwnam("daemon")
        for path in (checkout.root, *checkout.root.rglob("*")):
            os.chown(path, person.pw_uid, person.pw_gid)
        uv = checkout.tools / "uv"
        uv.write_text(uv.read_text().replace(sys.executable, "/usr/bin/python3"))
        checkout("up", SUDO_UID=str(person.pw_uid))
        assert checkout.program.stat().st_uid == person.pw_uid


def test_an_old_python_is_told_so_kindly(checkout):
    pretend = f"import sys; sys.version_info = (3, 8, 10); sys.argv[0] = {str(checkout.script)!r}; __file__ = sys.argv[0]\n"
    done = subprocess.run(
        [sys.executable, "-c", pretend + "exec(compile(open(__file__).read(), __file__, 'exec'))"],
        env={"PATH": str(checkout.tools)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert "needs Python 3.11 or newer; this is 3.8" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_older_python_can_read_the_file():
    import ast

    ast.parse(SCRIPT.read_text(), feature_version=(3, 6))
    assert os.access(SCRIPT, os.X_OK)
