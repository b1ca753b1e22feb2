"""Every case that Argo CD's own rules were tried with: the same status and the same message.

The cases are data beside the repository and are read there, never copied. They were run through the rule alone, so
some of them carry a deletionTimestamp that `health_of` would answer first.
"""

import json
import os
from pathlib import Path

import pytest
import yaml

from gitops_workers.core.health import health_of, rule_health
from gitops_workers.core.model import Dialect, Health, HealthStatus

ORACLE = Path(__file__).parents[5] / "shared" / "oracles" / "argocd-health"


class Loader(yaml.CSafeLoader):
    """Times stay text, as in JSON from an API server."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def cases():
    index = ORACLE / "index.jsonl"
    return [json.loads(line) for line in index.read_text().splitlines()] if index.exists() else []


def manifest(case):
    return yaml.load((ORACLE / case["file"]).read_text(), Loader)


CASES = cases()


def test_the_oracle_is_there():
    if not CASES and not os.environ.get("CI"):
        pytest.skip(f"no oracle at {ORACLE}")
    assert len(CASES) >= 572


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["file"].removeprefix("cases/").removesuffix(".yaml"))
def test_a_kind_is_judged_as_argo_cd_judges_it(case):
    assert rule_health(manifest(case)) == Health(HealthStatus(case["status"]), case["message"])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["file"].removeprefix("cases/").removesuffix(".yaml"))
def test_an_object_on_its_way_out_is_progressing_and_every_other_is_judged_by_its_rule(case):
    obj = manifest(case)
    leaving = "deletionTimestamp" in obj["metadata"] if obj.get("metadata") else False
    expected = Health(HealthStatus.PROGRESSING, "Pending deletion") if leaving else rule_health(obj)
    assert health_of(obj, Dialect.ARGOCD) == expected
