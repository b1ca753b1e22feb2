"""Our own annotations, in both dialects."""

import pytest

from tests.unit.dialects.manifests import APPLICATION, KUSTOMIZATION, REPOSITORY, changed, errors, only, parse_values

NEW_COMMIT = "gitops-workers.dev/new-commit"


@pytest.mark.parametrize("base", [APPLICATION, KUSTOMIZATION], ids=["argocd", "flux"])
class TestNewCommit:
    @pytest.mark.parametrize(
        ("annotations", "expected"), [({}, False), ({NEW_COMMIT: "replace"}, False), ({NEW_COMMIT: "wait"}, True)]
    )
    def test_says_whether_a_running_operation_is_finished_first(self, base, annotations, expected):
        parsed = parse_values(REPOSITORY, changed(base, "metadata.annotations", annotations))
        assert only(parsed).sync.finish_first is expected

    def test_another_value_is_an_error_that_names_the_allowed_ones(self, base):
        parsed = parse_values(REPOSITORY, changed(base, "metadata.annotations", {NEW_COMMIT: "never"}))
        assert errors(parsed) == [
            f"metadata.annotations[{NEW_COMMIT!r}]: found 'never', allowed are replace (the default) and wait."
        ]
