"""A folder for the checkpoints of a test."""

import pytest


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.safetensors"
