"""Where objects come from: repositories of all kinds, revisions of all kinds, tools, variables, and who rings."""

from __future__ import annotations

import hashlib
import hmac

import httpx

from gitops_workers.local.git_server import git_server
from tests.integration.engine.conftest import WEBHOOK_SECRET
from tests.integration.engine.installation import config_map, publish, push_event, secret
from tests.servers.git_repository import BareRepository
from tests.servers.git_ssh import generate_key, git_ssh

HOOK_TOKEN = "story-hook-token"
PRIVATE = ("robot", "story-git-password")
LABEL = "argocd.argoproj.io/secret-type"
KUSTOMIZATION = "resources: [a.yaml]\n"


def test_a_signed_push_and_a_flux_hook_are_seen_long_before_the_interval(story):
    site = story.site
    publish(site.folder / "secrets" / "hook.yaml", secret("hook-token", "flux-system", token=HOOK_TOKEN))
    repository = site.repository("hooked.git")
    repository.push({"app/a.yaml": config_map("hooked"), "app/kustomization.yaml": KUSTOMIZATION})
    receiver = {
        "apiVersion": "notification.toolkit.fluxcd.io/v1",
        "kind": "Receiver",
        "metadata": {"name": site.name("hook"), "namespace": "flux-system"},
        "spec": {
            "type": "generic",
            "secretRef": {"name": "hook-token"},
            "resources": [{"kind": "GitRepository", "name": site.name("hooked")}],
        },
    }
    site.declare("hooked.yaml", *story.flux("hooked", repository.url, "./app", interval="30m"), receiver)
    site.until_synced(site.app("hooked", "kustomization"))

    body = push_event(repository.url)
    signature = "sha256=" + hmac.new(WEBHOOK_SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-GitHub-Event": "push", "Content-Type": "application/json"}
    url = f"{site.engine.web}/api/webhook"
    repository.push({"app/a.yaml": config_map("hooked", "2")})
    forged = httpx.post(url, content=body, headers={**headers, "X-Hub-Signature-256": "sha256=" + "0" * 64}, timeout=10)
    assert forged.status_code == 400, "as Argo CD answers"
    answer = httpx.post(url, content=body, headers={**headers, "X-Hub-Signature-256": signature}, timeout=10)
    assert (answer.status_code, answer.json()) == (200, {"accepted": True, "polls": 1})
    site.until(lambda: site.value("hooked") == "2", "the push", 20)

    repository.push({"app/a.yaml": config_map("hooked", "3")})
    path = hashlib.sha256(f"{HOOK_TOKEN}{site.name('hook')}flux-system".encode()).hexdigest()
    assert httpx.post(f"{site.engine.web}/hook/{'0' * 64}", timeout=10).status_code == 404
    assert httpx.post(f"{site.engine.web}/hook/{path}", timeout=10).json() == {"accepted": True, "polls": 1}
    site.until(lambda: site.value("hooked") == "3", "the hook", 20)


def test_a_new_hook_token_is_a_new_address_and_the_old_one_is_dead(story):
    site = story.site
    file = site.folder / "secrets" / "turned.yaml"
    publish(file, secret("turned-token", "flux-system", token="first-token"))
    receiver = {
        "apiVersion": "notification.toolkit.fluxcd.io/v1",
        "kind": "Receiver",
        "metadata": {"name": site.name("turned"), "namespace": "flux-system"},
        "spec": {
            "type": "generic",
            "secretRef": {"name": "turned-token"},
            "resources": [{"kind": "GitRepository", "name": site.name("turned")}],
        },
    }
    site.declare("turned.yaml", receiver)

    def known(token: str) -> bool:
        path = hashlib.sha256(f"{token}{site.name('turned')}flux-system".encode()).hexdigest()
        return httpx.post(f"{site.engine.web}/hook/{path}", timeout=10).status_code == 200

    site.until(lambda: known("first-token"), "the first address")
    publish(file, secret("turned-token", "flux-system", token="second-token"))
    site.until(lambda: known("second-token"), "the second address")
    assert not known("first-token")


def test_tags_are_followed_by_pattern_and_by_version(story):
    site = story.site
    repository = site.repository("tags.git")
    commits = [repository.push({"tags/a.yaml": config_map("tag", str(n))}, at=1_000 + n) for n in range(5)]
    bare = repository.bare
    bare.tag("prod-b", commits[0], at=5_000)
    bare.tag("prod-a", commits[1], at=6_000)
    bare.tag("1.9.0", commits[2])
    bare.tag("1.10.0", commits[3])
    bare.tag("2.0.0", commits[4])
    apps = []
    for name, revision in (("pattern", "prod-*"), ("semver", "1.*")):
        app = site.argo(name, repository.url, "tags", source={"targetRevision": revision, "kustomize": None})
        app["spec"]["destination"]["namespace"] = f"{site.space}-{name}"
        app["spec"]["syncPolicy"]["syncOptions"] = ["CreateNamespace=true"]
        apps.append(app)
    site.declare("tags.yaml", *apps)
    for name, commit, ref in (("pattern", commits[1], "prod-a"), ("semver", commits[3], "1.10.0")):
        status = site.until_synced(site.app(name), commit)
        assert status.ref == ref
    assert site.value("tag", space=f"{site.space}-pattern") == "1"

    bare.tag("prod-c", commits[4], at=7_000)
    bare.tag("1.11.0", commits[4])
    for name in ("pattern", "semver"):
        site.until_synced(site.app(name), commits[4])
    assert site.east.call("GET", f"/api/v1/namespaces/{site.space}-pattern")[0] == 200


def test_helm_and_kustomize_render_what_the_application_says(story):
    site, shop = story.site, story.shop
    template = config_map("{{ .Release.Name }}-helm", "X").replace("'X'", "X").replace("X", '"{{ .Values.greeting }}"')
    commit = shop.push(
        {
            "chart/Chart.yaml": "apiVersion: v2\nname: greeter\nversion: 1.0.0\n",
            "chart/values.yaml": "greeting: from the chart\n",
            "chart/values-prod.yaml": "greeting: from the file\n",
            "chart/templates/a.yaml": template,
            "base/a.yaml": config_map("layered"),
            "base/kustomization.yaml": KUSTOMIZATION,
            "overlays/prod/kustomization.yaml": "resources: [../../base]\nnamePrefix: prod-\n",
        }
    )
    helm = {"releaseName": "hello", "valueFiles": ["values-prod.yaml"]}
    plain = site.argo("chart", shop.url, "chart", source={"helm": helm})
    overlay = site.argo("overlay", shop.url, "overlays/prod", source={"kustomize": {"nameSuffix": "-1"}})
    site.declare("rendered.yaml", plain, overlay)
    site.until_synced(site.app("chart"), commit)
    site.until_synced(site.app("overlay"), commit)
    assert site.value("hello-helm") == "from the file"
    assert site.value("prod-layered-1") == "1"


def test_variables_of_the_catalogue_reach_the_path_and_the_objects(story):
    site, shop = story.site, story.shop
    shop.push(
        {
            "clusters/oslo/kustomization.yaml": KUSTOMIZATION,
            "clusters/oslo/a.yaml": config_map("varied", "${CLUSTER_NAME}-${SIZE:=small}-${TIER}"),
        }
    )
    variables = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "cluster-vars", "namespace": "flux-system"},
        "data": {"CLUSTER_NAME": "oslo", "TIER": "bronze"},
    }
    build = {"substitute": {"TIER": "gold"}, "substituteFrom": [{"kind": "ConfigMap", "name": "cluster-vars"}]}
    site.declare(
        "varied.yaml", variables, *story.flux("varied", shop.url, "./clusters/${CLUSTER_NAME}", postBuild=build)
    )
    site.until_synced(site.app("varied", "kustomization"))
    assert site.value("varied") == "oslo-small-gold"


def test_private_repositories_over_https_basic_and_ssh(story, tmp_path):
    site = story.site
    key, public = generate_key()
    for name in ("basic", "keyed"):
        BareRepository(tmp_path / "private" / f"{name}.git").commit({"app/a.yaml": config_map(name).encode()})
    user, password = PRIVATE
    with (
        git_server(tmp_path / "private", user=user, password=password) as server,
        git_ssh(tmp_path / "private", public) as ssh,
    ):
        urls = {"basic": server.url("basic.git"), "keyed": ssh.url("keyed.git")}
        hosts = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "argocd-ssh-known-hosts-cm", "namespace": "argocd"},
            "data": {"ssh_known_hosts": ssh.known_hosts},
        }
        labels = {LABEL: "repository"}
        publish(
            site.folder / "secrets" / "repositories.yaml",
            hosts,
            secret("basic", "argocd", labels, type="git", url=urls["basic"], username=user, password=password),
            secret("keyed", "argocd", labels, type="git", url=urls["keyed"], sshPrivateKey=key),
        )
        site.declare("private.yaml", *(site.argo(name, url, "app") for name, url in urls.items()))
        for name in urls:
            site.until_synced(site.app(name))
            assert site.value(name) == "1"
        site.declare("private.yaml")
        site.until(lambda: site.status(site.app("keyed")) is None, "the end")
    assert password not in site.logs()


def test_a_folder_that_becomes_a_submodule_keeps_its_objects_whatever_the_submodule_is(story):
    site = story.site
    outer, inner = site.repository("outer.git"), site.repository("inner.git")
    own, shared = config_map("own"), config_map("shared")
    outer.push({"app/own.yaml": own, "app/vendor/shared.yaml": shared})
    site.declare("outer.yaml", site.argo("outer", outer.url, "app", source={"directory": {"recurse": True}}))
    app = site.app("outer")
    site.until_synced(app)
    uid = site.live("configmaps", "shared")["metadata"]["uid"]

    lost = {"app/own.yaml": own.encode(), "app/vendor": ("160000", b"1" * 40)}
    outer.bare.commit(lost)
    site.until_status(app, lambda status: "app/vendor is a submodule" in status.message)
    assert site.live("configmaps", "shared")["metadata"]["uid"] == uid

    commit = inner.push({"shared.yaml": config_map("shared", "2")})
    modules = b'[submodule "v"]\n\tpath = app/vendor\n\turl = ../inner.git\n'
    whole = outer.bare.commit({**lost, ".gitmodules": modules, "app/vendor": ("160000", commit.encode())})
    site.until_synced(app, whole)
    assert site.value("shared") == "2"
    assert site.live("configmaps", "shared")["metadata"]["uid"] == uid

    dropped = outer.bare.commit({"app/own.yaml": own.encode()})
    site.until_synced(app, dropped)
    assert site.live("configmaps", "shared") is None
