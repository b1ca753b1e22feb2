"""What upstream takes without a word is applied in the same way, and the application says so."""

from __future__ import annotations


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
