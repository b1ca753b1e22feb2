"""What upstream takes without a word is applied in the same way, and the application says so."""

from __future__ import annotations

from tests.integration.engine.installation import config_map


def test_of_a_key_that_stands_twice_the_last_is_applied_and_people_are_told(story):
    site, shop = story.site, story.shop
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: repeated}\ndata:\n  v: first\n  v: last\n"
    shop.push({"repeated/a.yaml": text})
    app = site.app("repeated")
    site.declare("repeated.yaml", site.argo("repeated", shop.url, "repeated"))

    status = site.until_synced(app)

    assert site.value("repeated") == "last"
    (told,) = [condition.message for condition in status.conditions if condition.type == "RepeatedKeyWarning"]
    assert "repeated/a.yaml, line 6: the key 'v' stands twice" in told


def test_of_an_object_that_stands_twice_the_last_is_applied_where_the_application_says_so(story):
    site, shop = story.site, story.shop
    shop.push({"twins/a.yaml": config_map("twin", "1"), "twins/b.yaml": config_map("twin", "2")})
    app, declared = site.app("twins"), site.argo("twins", shop.url, "twins")
    site.declare("twins.yaml", declared)
    site.until_status(app, lambda status: "stands twice" in status.message)
    assert site.value("twin") is None

    declared["metadata"]["annotations"] = {"gitops-workers.dev/repeated-objects": "last"}
    site.declare("twins.yaml", declared)
    status = site.until_synced(app)

    assert site.value("twin") == "2"
    (told,) = [condition.message for condition in status.conditions if condition.type == "RepeatedResourceWarning"]
    assert "twins/a.yaml and twins/b.yaml; the last one counts" in told
