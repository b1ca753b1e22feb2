"""Argo CD's health scripts in Lua 5.1 with `goto`, as gopher-lua has it: LuaJIT, without its compiler.

They get what upstream gives them and nothing more (Argo CD 3.5 docs, resource health).

Upstream opens the base and table libraries and a safe `os`; `useOpenLibs` adds string and math here, never files or
processes. Left out of the base library is what loads code or bytecode, and coroutines: a hook does not see into them.
"""

from __future__ import annotations

from typing import Any

from lupa.luajit21 import LuaError, LuaRuntime, LuaSyntaxError, lua_type

from gitops_workers.core.errors import RenderFailed

SECONDS = 1.0
"""Argo CD's limit for one script."""
MEMORY = 32 << 20
"""Bytes of one script's values: a hundred times the largest object."""

_PRELUDE = """
local seconds, open = ...
jit.off()  -- compiled code calls no hook, so nothing would stop it
jit.flush()
local all, sethook, clock = _G, debug.sethook, os.clock
local libraries = {
  os = {time = os.time, date = os.date},
  table = table,
  string = open and string or nil,
  math = open and math or nil,
  print = function() end,
}
local base = {}
for name in ("_VERSION assert error getmetatable ipairs next pairs pcall rawequal rawget rawset select setmetatable "
    .. "tonumber tostring type unpack xpcall"):gmatch("%S+") do
  base[name] = all[name]
end
if not open then getmetatable("").__index = nil end
local names = {}
for name in pairs(all) do names[#names + 1] = name end
for _, name in ipairs(names) do all[name] = base[name] or libraries[name] end
all._G = all
local stop = clock() + seconds
return function()
  local late = "the script ran longer than " .. seconds .. " s"
  local function fail() error(late, 0) end
  -- From then on every instruction fails, so that a loop around pcall ends, too.
  sethook(function() if clock() > stop then sethook(fail, "", 1) fail() end end, "", 1000)
end
"""
_TYPES = {str: "string", int: "number", float: "number", bool: "boolean"}


def health(script: str, obj: dict[str, Any], *, open_libs: bool = False, seconds: float = SECONDS) -> Any:
    """What the script returns: `{"status": ..., "message": ...}`, or None for no opinion.

    Raises RenderFailed with Lua's own words, or for anything but a table or nil.
    """
    runtime = LuaRuntime(
        unpack_returned_tuples=True,
        register_eval=False,
        register_builtins=False,
        attribute_filter=_no_attribute,
        max_memory=MEMORY,
    )
    try:
        chunk = runtime.compile(script)
        arm = runtime.execute(_PRELUDE, seconds, open_libs)
        runtime.globals()["obj"] = runtime.table_from(_without_none(obj), recursive=True)
        arm()
        found = chunk()
        return _plain(found)
    except LuaSyntaxError as error:
        raise RenderFailed(f"the script cannot be read: {_first_line(error)}") from None
    except MemoryError:
        raise RenderFailed(f"the script needs more than {MEMORY >> 20} MiB") from None
    except LuaError as error:
        raise RenderFailed(_first_line(error) or "the script raised an error without a text") from None


def _no_attribute(_: Any, name: str, setting: bool) -> str:  # noqa: ARG001 - lupa's signature
    raise AttributeError(name)


def _without_none(value: Any) -> Any:
    """JSON data without nulls: a nil in a Lua table is an absent entry."""
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_none(item) for item in value if item is not None]
    return value


def _plain(found: Any) -> dict[str, Any] | None:
    if isinstance(found, tuple):  # `return status, message`: Argo CD takes what is on top, the last value
        found = found[-1] if found else None
    if found is None:
        return None
    if lua_type(found) != "table":
        raise RenderFailed(f"the script returned a {lua_type(found) or _TYPES[type(found)]}, expected a table")
    return {str(key): value for key, value in found.items() if type(value) in _TYPES}


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0].removeprefix('[string "<python>"]:')
