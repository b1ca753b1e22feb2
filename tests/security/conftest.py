"""The web application over ports in memory."""

from __future__ import annotations

import pytest

from tests.web_world import World


@pytest.fixture
def world() -> World:
    """An empty world."""
    return World()
