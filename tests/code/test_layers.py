"""Imports point one way; the contracts stand in pyproject.toml."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def lint_imports(config: Path) -> subprocess.CompletedProcess[str]:
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", program, "--no-cache", "--config", str(config)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_no_room_imports_one_above_it() -> None:
    result = lint_imports(ROOT / "pyproject.toml")
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_contract_that_points_the_wrong_way_is_found_broken(tmp_path: Path) -> None:
    contract = tmp_path / "contract.ini"
    contract.write_text(
        "[importlinter]\nroot_packages =\n    lifecycle\n    api\n"
        "[importlinter:contract:1]\nname = upside down\ntype = layers\nlayers =\n    lifecycle\n    api\n"
    )
    assert lint_imports(contract).returncode == 1
