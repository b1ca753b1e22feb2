"""What every state store promises, over the real one and its twin."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from gitops_workers import redis_keys as keys
from gitops_workers.adapters.redis_state import RedisState
from gitops_workers.core import model as m
from gitops_workers.core.documents.kind import WHOLE
from gitops_workers.core.documents.kinds import CATALOGUE_ERROR, GROUP_MEMBERS, OVERRIDE, REFRESH_DONE, SETTINGS
from gitops_workers.core.documents.kinds import OPERATION as REAL_OPERATION
from gitops_workers.core.documents.wills import Override
from gitops_workers.core.render import render_spec as r
from gitops_workers.core.settings.settings_version import SettingsVersion
from gitops_workers.core.status.rows import ClusterView, Event, OperationView, ResourceView, Status
from gitops_workers.core.sync.sync_policy import Retry, SyncPolicy
from gitops_workers.core.telemetry.presence import WORKER, Process
from gitops_workers.ports import StatusQuery, Urgency
from gitops_workers.testing.volatile_queue import VolatileQueue
from gitops_workers.testing.volatile_state import VolatileState
from gitops_workers.testing.volatile_telemetry import VolatileTelemetry
from tests.documents import raw

AGREEMENT, OPERATION = raw("agreement"), raw("operation")
PLAIN = m.Application(
    id="application/argocd/shop",
    dialect=m.Dialect.ARGOCD,
    source=m.SourceSpec("https://git.example/shop.git"),
    render=r.RenderSpec(),
    destination=m.Destination(name="prod"),
    sync=SyncPolicy(),
    schedule=m.Schedule(120, 60, 30),
)
FULL = m.Application(
    id="kustomization/flux-system/apps",
    dialect=m.Dialect.FLUX,
    source=m.SourceSpec(
        "ssh://git@git.example/apps.git",
        m.RevisionSpec(m.RevisionKind.COMMIT, "a" * 40, "main"),
        "clusters/prod",
        r.SecretRef("Secret", "flux-system", "key"),
        "/*\n!/clusters",
        20.5,
    ),
    render=r.RenderSpec(
        tool=r.Tool.KUSTOMIZE,
        kustomize=r.KustomizeOptions(
            images=(r.Image("nginx", new_tag="1.29"),),
            replicas=(("web", 3),),
            patches=(r.Patch("- op: remove", target=(("kind", "Deployment"),), options=(("allowNameChange", True),)),),
        ),
        helm=r.HelmOptions(parameters=(r.HelmParameter("a.b", "1", True),), values_object='{"ü": null}'),
        substitution=r.Substitution((("env", "prod"),), (r.SecretRef("ConfigMap", "flux-system", "vars", True),), True),
        common_labels=(("team", "a"),),
    ),
    destination=m.Destination(server="https://10.0.0.1", namespace="apps"),
    sync=SyncPolicy(automated=True, health_checks=(("apps/v1", "Deployment", "a", "b"),), retry=Retry(-1, 1, 3, 9)),
    schedule=m.Schedule(600, 0, 60, suspended=True),
    project="team-a",
    labels=(("app", "x"),),
    history_limit=3,
    conditions=(m.Condition("ExcludedResourceWarning", "because"),),
    refusal="not done",
    origin="clusters/prod/apps.yaml",
)


@pytest.fixture
def queue():
    return VolatileQueue(lambda: 1000.0)


@pytest.fixture
def telemetry():
    return VolatileTelemetry(lambda: 1000.0)


@pytest.fixture(params=["redis", "volatile"])
def state(request, queue, telemetry):
    if request.param == "volatile":
        return VolatileState(queue.cluster_loads, telemetry.presence)
    return RedisState(request.getfixturevalue("store"), queue.cluster_loads, telemetry.presence, key=b"secret")


def row(name, **changes):
    base = Status(
        id=f"application/argocd/{name}",
        dialect="argocd",
        project="default",
        cluster="prod",
        namespace="shop",
        repository="https://git.example/shop.git",
        path=".",
    )
    return replace(base, **changes)


def names(page):
    return [status.id.split("/")[2] for status in page.rows]


class TestApplications:
    @pytest.mark.parametrize("application", [PLAIN, FULL], ids=["plain", "full"])
    def test_come_back_as_they_were(self, state, application):
        state.save_applications([application])
        assert state.application(application.id) == application

    def test_are_listed_loaded_replaced_and_discarded(self, state):
        state.save_applications([FULL, PLAIN])
        assert state.applications() == [PLAIN.id, FULL.id]
        assert set(state.load_applications([FULL.id, "application/a/none"])) == {FULL.id}
        state.save_applications([replace(PLAIN, project="other")])
        assert state.application(PLAIN.id).project == "other"
        state.delete_application(PLAIN.id)
        assert state.applications() == [FULL.id]

    def test_of_nothing_nothing(self, state):
        state.save_applications([])
        assert state.applications() == []
        assert state.load_applications([]) == {}
        assert state.application(PLAIN.id) is None

    def test_a_discarded_application_leaves_nothing(self, state):
        state.save_applications([PLAIN])
        state.save_status(row("shop"))
        state.save(raw("operation"), PLAIN.id, {"a": 1})
        state.save(raw("anything-new"), PLAIN.id, [1])
        state.save(raw("operation"), FULL.id, {"b": 2})
        state.save_resources(PLAIN.id, [ResourceView("", "v1", "Pod", "a", "b", m.SyncStatus.SYNCED, None)])
        state.delete_application(PLAIN.id)
        assert state.status(PLAIN.id) is None
        assert state.query(StatusQuery(text="shop")).total == 0
        assert state.counts() == {"sync": {}, "health": {}, "outcome": {}, "failing": {}}
        assert state.resources(PLAIN.id) == ()
        assert state.load(raw("operation"), PLAIN.id) is None
        assert state.load(raw("anything-new"), PLAIN.id) is None
        assert state.load(raw("operation"), FULL.id) == {"b": 2}


class TestDocuments:
    def test_come_back_as_json(self, state):
        value = {"list": [1, 2.5, None, True], "text": "ü" * 5000, "map": {"a/b": {}}}
        state.save(raw("agreement"), "application/a/b", value)
        assert state.load(raw("agreement"), "application/a/b") == value

    def test_several_at_once(self, state):
        state.save_many(raw("poll"), {"g1": 1, "g2": [2], "g3": False})
        state.save_many(raw("poll"), {})
        state.discard(raw("poll"), "g2")
        assert state.load_many(raw("poll"), ["g1", "g2", "g3", "g4"]) == {"g1": 1, "g3": False}
        assert state.load_many(raw("poll"), []) == {}
        assert state.load(raw("record"), "g1") is None

    def test_of_a_kind_come_back_as_their_class(self, state):
        override = Override(suspended=True, by="ann")
        state.save(OVERRIDE, PLAIN.id, override)
        assert state.load(OVERRIDE, PLAIN.id) == override
        assert state.load_many(OVERRIDE, [PLAIN.id, FULL.id]) == {PLAIN.id: override}
        assert state.load(raw("override"), PLAIN.id) == {"suspended": True, "by": "ann"}

    def test_an_installation_has_one_of_a_kind_with_a_place_of_its_own(self, state):
        state.save(CATALOGUE_ERROR, WHOLE, "it is away")
        assert state.load(CATALOGUE_ERROR, WHOLE) == "it is away"
        assert state.load(raw("catalogue"), "error") == "it is away"
        state.discard(CATALOGUE_ERROR, WHOLE)
        assert state.load(CATALOGUE_ERROR, WHOLE) is None

    def test_that_cannot_be_read_are_absent_or_never_less_and_are_logged(self, state):
        state.save(raw("operation"), PLAIN.id, {"phase": "Celebrating"})
        state.save(raw("override"), PLAIN.id, ["suspended"])
        with capture_logs() as lines:
            assert state.load(REAL_OPERATION, PLAIN.id) is None
            assert state.load_many(OVERRIDE, [PLAIN.id, FULL.id])[PLAIN.id].suspended
            found = state.load_of(PLAIN.id, [REAL_OPERATION, OVERRIDE])
            assert (found.get(REAL_OPERATION), found.get(OVERRIDE).suspended) == (None, True)
        said = [(line["document"], line["key"]) for line in lines if line["event"] == "document_unreadable"]
        assert said == [("operation", PLAIN.id), ("override", PLAIN.id)] * 2

    def test_of_the_catalogue_that_cannot_be_read_have_it_read_again(self, state):
        state.save(REFRESH_DONE, WHOLE, ("files", "around"))
        state.save(raw("operation"), PLAIN.id, 7)
        assert state.load(REAL_OPERATION, PLAIN.id) is None
        assert state.load(REFRESH_DONE, WHOLE) == ("files", "around")
        state.save(raw("group"), "cluster/east", {"apps": "all"})
        assert state.load(GROUP_MEMBERS, "cluster/east") is None
        assert state.load(REFRESH_DONE, WHOLE) is None

    def test_what_was_loaded_is_nobody_elses(self, state):
        state.save(raw("poll"), "g1", {"a": [1]})
        state.load(raw("poll"), "g1")["a"].append(2)
        assert state.load(raw("poll"), "g1") == {"a": [1]}


class TestStatus:
    def test_comes_back_as_it_was(self, state):
        status = row(
            "shop",
            sync=m.SyncStatus.OUT_OF_SYNC,
            health=m.HealthStatus.DEGRADED,
            operation=OperationView(m.Phase.FAILED, "no", "abc", "2026-11-23T10:00:00Z", retries=2),
            conditions=(m.Condition("SyncError", "why"),),
            suspended=True,
            changed_at="2026-11-23T10:00:00Z",
        )
        assert state.save_status(status)
        assert state.status(status.id) == status
        assert state.status("application/argocd/none") is None

    def test_an_older_writer_changes_nothing(self, state):
        assert state.save_status(row("shop", message="first"), token=7)
        assert state.save_status(row("shop", message="same holder again"), token=7)
        assert not state.save_status(row("shop", message="late", sync=m.SyncStatus.SYNCED), token=6)
        assert state.status(row("shop").id).message == "same holder again"
        assert state.counts()["sync"] == {"Unknown": 1}

    def test_documents_come_with_the_row_or_not_at_all(self, state):
        app = row("shop").id
        assert state.save_status(row("shop"), 7, {AGREEMENT: {"commit": "new"}, OPERATION: [1]})
        assert not state.save_status(row("shop"), 6, {AGREEMENT: {"commit": "old"}})
        found = state.load_of(app, [AGREEMENT, OPERATION])
        assert (found.get(AGREEMENT), found.get(OPERATION)) == ({"commit": "new"}, [1])
        assert state.save_status(row("shop"), 8, {OPERATION: None})
        found = state.load_of(app, [AGREEMENT, OPERATION])
        assert (found.get(AGREEMENT), found.get(OPERATION)) == ({"commit": "new"}, None)
        state.delete_application(app)
        assert state.load_of(app, [AGREEMENT]).get(AGREEMENT) is None

    def test_documents_of_the_installation_come_with_those_of_an_application(self, state):
        app = row("shop").id
        version = SettingsVersion("a", 1.0)
        state.save_of(app, {AGREEMENT: {"commit": "new"}})
        state.save(SETTINGS, WHOLE, version)
        found = state.load_of(app, [AGREEMENT], [SETTINGS])
        assert (found.get(AGREEMENT), found.get(SETTINGS)) == ({"commit": "new"}, version)
        state.delete_application(app)
        found = state.load_of(app, [AGREEMENT], [SETTINGS])
        assert (found.get(AGREEMENT), found.get(SETTINGS)) == (None, version)

    def test_a_writer_without_a_lease_is_let_in_and_lifts_no_fence(self, state):
        state.save_status(row("shop"), token=7)
        assert state.save_status(row("shop", suspended=True))
        assert not state.save_status(row("shop"), token=6)
        assert state.status(row("shop").id).suspended

    def test_tokens_of_a_microsecond_clock_are_told_apart(self, state):
        state.save_status(row("shop"), token=1_800_000_000_000_001)
        assert not state.save_status(row("shop"), token=1_800_000_000_000_000)

    def test_a_quiet_round_moves_all_rows_of_the_group_with_one_write(self, state):
        for name in ("a", "b"):
            state.save_status(row(name, group="g1", last_checked_at="2026-11-23T10:00:00Z"))
        state.save_status(row("c", group="g2", last_checked_at="2026-11-23T10:00:00Z"))
        state.save_status(row("d", group="g1", last_checked_at="2026-11-23T12:00:00Z"))
        state.touch("g1", 3, "2026-11-23T11:00:00Z")
        hours = [status.last_checked_at[11:13] for status in state.query(StatusQuery()).rows]
        assert hours == ["11", "11", "10", "12"]
        assert state.status(row("a").id).last_checked_at == "2026-11-23T11:00:00Z"


class TestListings:
    @pytest.fixture
    def filled(self, state):
        o, s, u = m.SyncStatus.OUT_OF_SYNC, m.SyncStatus.SYNCED, m.SyncStatus.UNKNOWN
        healthy, degraded, progressing = m.HealthStatus.HEALTHY, m.HealthStatus.DEGRADED, m.HealthStatus.PROGRESSING
        at = "2026-11-23T1{}:00:00Z".format
        state.save_status(row("api", sync=s, health=healthy, changed_at=at(1)))
        state.save_status(row("web", sync=o, health=progressing, changed_at=at(3), project="team-a"))
        state.save_status(row("db", sync=u, health=degraded, changed_at=at(2), cluster="edge"))
        state.save_status(row("cache", sync=s, health=healthy, changed_at=at(0), dialect="flux", project="team-a"))
        return state

    @pytest.mark.parametrize(
        ("sort", "expected"),
        [
            ("name", ["api", "cache", "db", "web"]),
            ("sync", ["web", "db", "api", "cache"]),
            ("health", ["db", "web", "api", "cache"]),
            ("age", ["web", "db", "api", "cache"]),
            ("no such order", ["api", "cache", "db", "web"]),
        ],
    )
    def test_are_sorted_worst_or_newest_first_and_the_other_way(self, filled, sort, expected):
        assert names(filled.query(StatusQuery(sort=sort))) == expected
        assert names(filled.query(StatusQuery(sort=sort, descending=True))) == expected[::-1]

    @pytest.mark.parametrize(
        ("wanted", "expected"),
        [
            ({"sync": "Synced"}, ["api", "cache"]),
            ({"health": "Degraded"}, ["db"]),
            ({"project": "team-a"}, ["cache", "web"]),
            ({"cluster": "edge"}, ["db"]),
            ({"dialect": "flux"}, ["cache"]),
            ({"text": "A"}, ["api", "cache", "db", "web"]),
            ({"text": "argocd/W"}, ["web"]),
            ({"text": "."}, []),
            ({"sync": "Synced", "project": "team-a", "text": "cac"}, ["cache"]),
            ({"project": "nobody"}, []),
        ],
    )
    def test_hold_what_was_asked_for(self, filled, wanted, expected):
        page = filled.query(StatusQuery(**wanted))
        assert (names(page), page.total) == (expected, len(expected))

    @pytest.mark.parametrize("wanted", [{}, {"text": "argocd"}, {"sync": "Synced", "text": "a"}])
    def test_come_in_pages(self, filled, wanted):
        whole = names(filled.query(StatusQuery(**wanted)))
        pages = [filled.query(StatusQuery(**wanted, offset=offset, limit=2)) for offset in (0, 2, 4)]
        assert [name for page in pages for name in names(page)] == whole
        assert {page.total for page in pages} == {len(whole)}
        assert filled.query(StatusQuery(**wanted, limit=0)).rows == ()

    def test_a_row_that_changed_is_found_only_where_it_is(self, filled):
        filled.save_status(replace(filled.status(row("web").id), sync=m.SyncStatus.SYNCED, cluster="edge", project="b"))
        assert names(filled.query(StatusQuery(sync="OutOfSync"))) == []
        assert names(filled.query(StatusQuery(project="team-a"))) == ["cache"]
        assert names(filled.query(StatusQuery(cluster="edge"))) == ["db", "web"]
        assert filled.counts()["sync"] == {"Synced": 3, "Unknown": 1}

    def test_are_counted(self, filled):
        assert filled.counts() == {
            "sync": {"Synced": 2, "OutOfSync": 1, "Unknown": 1},
            "health": {"Healthy": 2, "Degraded": 1, "Progressing": 1},
            "outcome": {},
            "failing": {"yes": 1},
        }

    def test_are_found_by_what_became_of_the_last_operation(self, filled):
        failed = OperationView(m.Phase.FAILED, "hook failed", "c1", "2026-11-23T10:00:00Z")
        filled.save_status(replace(filled.status(row("db").id), operation=failed))
        assert names(filled.query(StatusQuery(outcome="Failed"))) == ["db"]
        assert filled.counts()["outcome"] == {"Failed": 1}

    def test_those_in_trouble_come_first_and_alone_where_that_is_asked(self, filled):
        failed = OperationView(m.Phase.FAILED, "hook failed", "c1", "2026-11-23T10:00:00Z")
        condition = m.Condition("SharedResourceWarning", "two of them")
        filled.save_status(row("web", sync=m.SyncStatus.OUT_OF_SYNC, operation=failed))
        filled.save_status(row("ill", sync=m.SyncStatus.SYNCED, health=m.HealthStatus.DEGRADED))
        filled.save_status(
            row("fine", sync=m.SyncStatus.SYNCED, health=m.HealthStatus.HEALTHY, conditions=(condition,))
        )
        first = names(filled.query(StatusQuery(sort="trouble")))
        assert first.index("web") < first.index("ill") < first.index("fine")
        alone = names(filled.query(StatusQuery(sort="trouble", failing=True)))
        assert alone == [name for name in first if name in alone]
        assert {"web", "ill"} <= set(alone)
        assert "fine" not in alone
        assert filled.counts()["failing"] == {"yes": len(alone)}


rows = st.builds(
    lambda name, sync, health, project, hour, group, phase: row(
        name,
        sync=sync,
        health=health,
        project=project,
        changed_at=f"2026-11-23T{hour:02}:00:00Z",
        group=group,
        operation=OperationView(phase, "", "", "") if phase else None,
    ),
    st.sampled_from(["a", "b", "c", "d", "e"]),
    st.sampled_from(list(m.SyncStatus)),
    st.sampled_from(list(m.HealthStatus)),
    st.sampled_from(["x", "y"]),
    st.integers(0, 23),
    st.sampled_from(["", "g"]),
    st.sampled_from([None, *m.Phase]),
)


def test_a_row_that_nobody_has_looked_at_for_twice_its_interval_is_marked_wherever_it_is_read(state):
    fresh, long_ago = "2999-01-01T00:00:00Z", "1970-01-01T00:00:01Z"
    state.save_status(row("a", last_checked_at=fresh, interval=120.0, stale=True))
    state.save_status(row("b", last_checked_at=long_ago, interval=120.0, group="cluster/prod"))
    assert [state.status(f"application/argocd/{name}").stale for name in "ab"] == [False, True]
    assert [one.stale for one in state.query(StatusQuery()).rows] == [False, True]
    state.touch("cluster/prod", 1, fresh)
    assert not state.status("application/argocd/b").stale


queries = st.builds(
    StatusQuery,
    text=st.sampled_from(["", "a", "/C"]),
    sync=st.sampled_from(["", "Synced"]),
    project=st.sampled_from(["", "x"]),
    outcome=st.sampled_from(["", "Failed"]),
    failing=st.booleans(),
    sort=st.sampled_from(["name", "sync", "health", "age", "trouble"]),
    descending=st.booleans(),
    offset=st.integers(0, 4),
    limit=st.integers(0, 4),
)


@settings(max_examples=60, database=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(rows, st.integers(0, 3)), max_size=12), queries)
def test_both_stores_answer_every_listing_alike(store, saved, query):
    store.flushall()
    loads, presence = VolatileQueue(lambda: 0.0).cluster_loads, VolatileTelemetry(lambda: 0.0).presence
    real, twin = RedisState(store, loads, presence), VolatileState(loads, presence)
    for status, token in saved:
        assert real.save_status(status, token) == twin.save_status(status, token)
    assert real.query(query) == twin.query(query)
    assert real.counts() == twin.counts()


class TestViews:
    def test_resources_come_back_with_their_diff(self, state):
        resources = (
            ResourceView(
                "apps", "v1", "Deployment", "a", "b", m.SyncStatus.OUT_OF_SYNC, m.HealthStatus.HEALTHY, "m", 2
            ),
            ResourceView("", "v1", "Secret", "a", "b", m.SyncStatus.SYNCED, None, diff="-a\n+ü\n" * 2000),
        )
        state.save_resources(PLAIN.id, resources)
        assert tuple(state.resources(PLAIN.id)) == resources
        assert tuple(state.resources(FULL.id)) == ()

    def test_two_events_in_the_same_words_have_an_id_each(self, state):
        state.add_events([Event("t", "app", "Normal", "Synced", "1 object applied.", operation="a", by="ann")] * 2)
        state.add_events([Event("t", "app", "Normal", "Synced", "1 object applied.")])
        found = state.events("app")
        assert len({event.id for event in found if event.id}) == 3
        assert [(event.operation, event.by) for event in found] == [("", ""), ("a", "ann"), ("a", "ann")]

    def test_events_are_told_newest_first_and_by_application(self, state):
        state.add_events([Event(f"t{n}", f"app{n % 2}", "Normal", "Synced", f"{n}") for n in range(2500)])
        state.add_events([])
        assert [event.message for event in state.events(limit=3)] == ["2499", "2498", "2497"]
        assert [event.message for event in state.events("app0", limit=2)] == ["2498", "2496"]
        assert len(state.events("app1", limit=5000)) == 1250
        assert state.events("none") == ()

    def test_the_event_stream_is_bounded(self, state):
        state.add_events([Event("t", "app", "Normal", "Synced", f"{n}") for n in range(10_050)])
        events = state.events(limit=20_000)
        assert (len(events), events[-1].message) == (10_000, "50")

    def test_events_after_one_come_oldest_first_and_bounded(self, state):
        assert state.events_after("", 10) == ()
        state.add_events([Event("t", "app", "Normal", "Synced", f"{n}", attempt=n) for n in range(5)])
        every = state.events_after("", 10)
        assert [event.message for event in every] == ["0", "1", "2", "3", "4"]
        assert [event.attempt for event in every] == [0, 1, 2, 3, 4]
        assert every[::-1] == state.events()
        assert state.events_after(every[1].id, 2) == every[2:4]
        assert state.events_after(every[4].id, 10) == ()

    def test_events_after_one_that_has_left_the_stream_are_the_oldest_there_are(self, state):
        state.add_events([Event("t", "app", "Normal", "Synced", "first")])
        first = state.events(limit=1)[0].id
        state.add_events([Event("t", "app", "Normal", "Synced", f"{n}") for n in range(10_010)])
        assert [event.message for event in state.events_after(first, 2)] == ["10", "11"]

    def test_clusters_are_shown_with_the_queue_as_it_is_now(self, state, queue):
        view = ClusterView("prod", "https://10.0.0.1", "default", True, "", 3, 99, 99, 99.0, "t")
        state.save_cluster(view)
        state.save_cluster(replace(view, name="edge", reachable=None))
        queue.enroll(PLAIN.id, "prod", "default")
        queue.request(PLAIN.id, "push", Urgency.WEBHOOK)
        edge, prod = state.clusters()
        assert replace(prod, unserved="") == replace(view, queue_depth=1, in_flight=0, lag=0.0)
        assert (edge.name, edge.queue_depth) == ("edge", 0)

    def test_a_cluster_tells_how_many_serve_its_fleet_and_since_when_nobody_does(self, state, telemetry):
        worker = Process(WORKER, "one@host", ("control", "fleet.default"))
        state.save_cluster(ClusterView("prod", "https://10.0.0.1", "default", True, "", 3, 0, 0, 0.0, "t"))
        assert state.clusters()[0].workers == 0
        assert "no worker of fleet default has been seen yet" in state.clusters()[0].unserved
        telemetry.report(worker, {})
        assert (state.clusters()[0].workers, state.clusters()[0].unserved) == (1, "")
        state.save_cluster(state.clusters()[0])
        telemetry.leave(worker)
        assert state.clusters()[0].workers == 0
        assert "since 1970-01-01T00:16:40Z" in state.clusters()[0].unserved

    def test_no_cluster_no_view(self, state):
        assert tuple(state.clusters()) == ()


def test_rows_that_an_earlier_release_wrote_are_listed_and_replaced(store):
    loads, presence = VolatileQueue(lambda: 0.0).cluster_loads, VolatileTelemetry(lambda: 0.0).presence
    state = RedisState(store, loads, presence)
    state.save_status(row("old"))
    shorter = """
    local row = cmsgpack.unpack(redis.call('HGET', KEYS[1], ARGV[1]))
    local old = {row[1], row[2], row[3], row[4], row[5], row[6], row[7], row[#row]}
    redis.call('HSET', KEYS[1], ARGV[1], cmsgpack.pack(old))
    """
    store.eval(shorter, 1, keys.STATUS, row("old").id)
    store.delete(keys.status_order("trouble"))
    assert names(state.query(StatusQuery(sort="trouble"))) == ["old"]
    state.save_status(row("old", sync=m.SyncStatus.SYNCED))
    assert names(state.query(StatusQuery(sync="Synced"))) == ["old"]
    state.delete_application(row("old").id)
    assert state.query(StatusQuery(sort="trouble")).total == 0
