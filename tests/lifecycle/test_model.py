"""``lifecycle`` and a reference model that shares no code with it live the same lives, and never differ."""

import ast
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.lifecycle.machine import TwoAccounts

QUIET = settings(
    derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
)
"""The same lives every time. Add Phase.shrink to get a shorter life out of a failing one; it takes minutes."""


@pytest.mark.parametrize("name", ["reference", "reference_acts"])
def test_the_reference_model_shares_no_code_with_lifecycle(name: str) -> None:
    source = (Path(__file__).parent / f"{name}.py").read_text(encoding="utf-8")
    imported = {
        module
        for node in ast.walk(ast.parse(source))
        for module in ([node.module] if isinstance(node, ast.ImportFrom) else [])
        + [alias.name for alias in getattr(node, "names", []) if isinstance(node, ast.Import)]
    }
    assert imported <= {"calendar", "dataclasses", "datetime", "fractions", "tests.lifecycle.reference"}


def test_both_accounts_of_a_certificate_never_differ() -> None:
    run_state_machine_as_test(TwoAccounts, settings=settings(QUIET, max_examples=60, stateful_step_count=40))


@pytest.mark.figures
def test_both_accounts_never_differ_over_500_lives_of_50_steps() -> None:
    run_state_machine_as_test(TwoAccounts, settings=settings(QUIET, max_examples=500, stateful_step_count=50))
