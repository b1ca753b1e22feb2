"""What the console refuses to be, and where it says it is."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from gitops_workers.console.command import refusal

SAFE = {"persistent": False, "unix_socket": "", "basic_auth": None, "auth": "", "address": "127.0.0.1"}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"address": "::1"},
        {"address": "localhost"},
        {"address": "0.0.0.0", "basic_auth": ["u:p"]},
        {"address": "", "auth": ".*@example.com"},
        {"address": "", "unix_socket": "/run/console.sock"},
    ],
)
def test_a_console_for_this_machine_or_with_a_login_is_served(changes):
    assert refusal(SimpleNamespace(**SAFE | changes)) == ""


@pytest.mark.parametrize("address", ["", "0.0.0.0", "10.1.2.3", "::", "console.example.com"])
def test_a_console_for_others_needs_a_login(address):
    assert "FLOWER_BASIC_AUTH" in refusal(SimpleNamespace(**SAFE | {"address": address}))


def test_pickles_on_disk_are_refused():
    assert "--persistent" in refusal(SimpleNamespace(**SAFE | {"persistent": True}))
