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


REPEATED = "gitops-workers.dev/repeated-objects"


@pytest.mark.parametrize(
    ("annotations", "expected"), [({}, False), ({REPEATED: "refuse"}, False), ({REPEATED: "last"}, True)]
)
def test_an_application_says_whether_the_last_of_two_equal_objects_counts(annotations, expected):
    parsed = parse_values(changed(APPLICATION, "metadata.annotations", annotations))
    assert only(parsed).render.last_object is expected


def test_another_rule_for_repeated_objects_is_an_error_that_names_the_allowed_ones():
    parsed = parse_values(changed(APPLICATION, "metadata.annotations", {REPEATED: "first"}))
    assert errors(parsed) == [
        f"metadata.annotations[{REPEATED!r}]: found 'first', allowed are refuse (the default) and last."
    ]
