"""A health script sees its object and a few harmless libraries, and ends whatever it does."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_workers.core.errors import RenderFailed
from gitops_workers.sandboxed.lua_rules import health

CERTIFICATE: dict[str, Any] = {
    "kind": "Certificate",
    "spec": {"replicas": 3, "paused": False, "ratio": 0.5, "nothing": None},
    "status": {"conditions": [{"type": "Issuing", "status": "False"}, {"type": "Ready", "status": "True"}]},
}


def test_a_script_as_people_write_them():
    script = """
    hs = {}
    hs.status = "Progressing"
    hs.message = "Waiting for certificate"
    if obj.status ~= nil and obj.status.conditions ~= nil then
      for i, condition in ipairs(obj.status.conditions) do
        if condition.type == "Ready" and condition.status == "True" then
          hs.status = "Healthy"
          hs.message = "condition " .. i .. " of " .. #obj.status.conditions .. ", " .. obj.spec.replicas .. " wanted"
        end
      end
    end
    return hs
    """

    assert health(script, CERTIFICATE) == {"status": "Healthy", "message": "condition 2 of 2, 3 wanted"}


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("return nil", None),
        ("", None),
        ("return {}", {}),
        ("return {status = tostring(obj.spec.nothing)}", {"status": "nil"}),
        ("return {status = tostring(obj.spec.paused)}", {"status": "false"}),
        ("return {status = obj.spec.ratio .. ''}", {"status": "0.5"}),
        ("return {status = os.date('!%Y', 0)}", {"status": "1970"}),
        ("print('into our pipe') return {status = 'Healthy'}", {"status": "Healthy"}),
        ("return {status = table.concat({'Heal', 'thy'})}", {"status": "Healthy"}),
    ],
)
def test_what_a_script_may_return(script: str, found: Any):
    assert health(script, CERTIFICATE) == found


@pytest.mark.parametrize(
    "name",
    ["io", "debug", "package", "require", "load", "loadstring", "dofile", "loadfile", "python", "coroutine", "setfenv",
     "getfenv", "newproxy", "collectgarbage", "module", "string", "math", "os.execute", "os.getenv", "os.remove"],
)  # fmt: skip
def test_nothing_reaches_out_of_the_script(name: str):
    assert health(f"return {{status = tostring({name})}}", {}) == {"status": "nil"}


def test_open_libraries_are_those_that_cannot_reach_out():
    assert health("return {status = ('x'):upper() .. math.floor(2.5)}", {}, open_libs=True) == {"status": "X2"}
    assert health("return {status = tostring(io) .. tostring(debug)}", {}, open_libs=True) == {"status": "nilnil"}


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("return obj.status.phase.name", "attempt to index field 'phase'"),
        ("error('the operator is confused')", "the operator is confused"),
        ("return {status =", "the script cannot be read"),
        ("return 'Healthy'", "returned a string, expected a table"),
        ("return true", "returned a boolean, expected a table"),
        ("return ('x'):upper()", "attempt to index"),
        ("local s = 'x' while true do s = s .. s end", "needs more than 32 MiB"),
        ("while true do end", "ran longer than 0.2 s"),
        ("while true do pcall(function() while true do end end) end", "ran longer than 0.2 s"),
        ("local function f() return f() end f()", "ran longer than 0.2 s"),
    ],
)
def test_a_script_that_fails_says_why_and_ends(script: str, said: str):
    with pytest.raises(RenderFailed, match=said):
        health(script, CERTIFICATE, seconds=0.2)


def test_scripts_leave_nothing_behind_for_each_other():
    health("leak = 'secret' table.leak = 'secret' return nil", {})

    assert health("return {status = tostring(leak) .. tostring(table.leak)}", {}) == {"status": "nilnil"}
