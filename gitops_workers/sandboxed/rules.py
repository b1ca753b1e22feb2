"""The child that evaluates what users wrote in Lua, CEL and jq: a trade of its own, started when a rule exists.

Its imports take 25 MB that render children need not have, and a rule that loops must not cost a render its child.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import orjson

from gitops_workers import yaml_events
from gitops_workers.core.errors import RenderFailed
from gitops_workers.sandboxed import cel_rules, confine, jq_rules, lua_rules
from gitops_workers.sandboxed.main import serve


class Rules:
    """What such a child can do."""

    def run(self, job: str, request: Mapping[str, Any], blobs: list[bytes]) -> tuple[Any, bytes]:
        """Do one job. Raises RenderFailed with the language's own words."""
        match job:
            case "lua":
                return lua_rules.health(request["script"], request["object"], open_libs=request["open"]), b""
            case "cel":
                return cel_rules.first_true(request["expressions"], request["variables"]), b""
            case "jq":
                return [jq_rules.paths(request["expressions"], item) for item in request["objects"]], b""
            case "check":
                checks = {"cel": cel_rules.check, "jq": jq_rules.check}
                found = checks[request["language"]](request["expressions"])
                return [[index, text] for index, text in sorted(found.items())], b""
            case "documents":
                return yaml_events.load_documents(blobs[0], repeats=[]), b""  # `argocd-cm`: as Argo CD reads it
        raise RenderFailed(f"the sandbox has no job {job!r}")


def main() -> None:
    """Evaluate rules, as argv[1] (JSON) says."""
    settings = orjson.loads(sys.argv[1])
    confine.die_with_parent(settings["parent"])
    warm(Rules())
    serve(settings, lambda _: Rules())


def warm(rules: Rules) -> None:
    """Import now what the languages import late: the file system is out of sight soon."""
    rules.run("lua", {"script": "return {status = 'Healthy'}", "object": {}, "open": False}, [])
    rules.run("cel", {"expressions": ["a.?b.orValue('').size() == 0"], "variables": {"a": {}}}, [])
    rules.run("jq", {"expressions": [".a"], "objects": [{"a": 1}]}, [])
    rules.run("documents", {}, [b"warm: [1, \xc3\xa9]"])
