"""What the tests of the pipeline share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import structlog


def _nothing(*_: Any) -> Any:
    raise structlog.DropEvent


@pytest.fixture
def quiet() -> Iterator[None]:
    """Hundreds of crashes are meant; printing each with its traceback takes longer than they do."""
    before = structlog.get_config()
    structlog.configure(processors=[_nothing])
    yield
    structlog.configure(**before)
