"""Every key of queue and state in Redis, and its shape: the one place to look before adding or reading one.

All start with `gitops:`; what starts with `gitops:celery:` is Celery's own (the broker's `global_keyprefix`). The Lua
files beside the adapters build names from parts, hence one Redis or Sentinel, not Redis Cluster. Nothing is ever found
by SCAN or KEYS. All is rebuildable: desired state is in Git, records and history are in the destination clusters.

Queue (written only by the Lua files of `adapters/redis_queue`; times are epoch seconds by Redis TIME). A *member* is
`a:<application id>` or `p:<poll group>`; a *class* is a `ports.Urgency`.

    gitops:member:<member>        hash, one per member; its fields:
        lane, fleet               where it is admitted (core.lanes); a poll group has no fleet
        want, done                generations
        state                     idle, queued (a doorbell is out) or running (somebody has the lease)
        class                     the due set it is in; "" is off the queue
        span                      seconds from the last scheduling to its due time
        ask                       most urgent class asked for since it was queued
        asked                     refs listed before it are too old
        token                     the holder's
        rings                     doorbells in a row that nobody answered
        since                     when it became due that nobody has answered yet
        slot                      the lane whose in-flight set it is in, if it is in one
        reasons, taken            JSON lists: since the last attempt began, and those that attempt took
    gitops:members                zset: member -> when the sweep last looked at it
    gitops:due:<class>:<lane>     zset: member -> due time; while queued or running, the end of its lease
    gitops:inflight:<lane>        zset: member -> end of its lease; what admission counts
    gitops:ready                  zset: lane -> when a dispatch can next take something from it
    gitops:breaker:<lane>         hash, absent while all is well: failures (in a row), message, last (who failed);
                                  from the third failure on until all slots are given again: allowed (members at once),
                                  probe (not before), pause (s), prober (asks first), out (the probe under way)
    gitops:fence                  string: the last token; max(last + 1, microseconds), so that it grows over FLUSHALL
    gitops:every                  hash: name -> when it last happened

State (`adapters/redis_state`). *Sealed* is `redis_state.sealed`: JSON, zstd when large, behind a keyed digest.

    gitops:apps                   hash: application id -> core.model.Application as JSON, encrypted (`cipher`)
    gitops:doc:<kind>             hash: key -> sealed JSON document; `core.documents.kinds` declares the kinds
    gitops:doc-kinds              set: the kinds there are
    gitops:status                 hash: application id -> msgpack of token, group, the fields of
                                  core.listing.index_fields, JSON of Status
    gitops:status:checked         hash: poll group -> "<RFC 3339> <applications>" of its last quiet round
    gitops:status:by:<order>      zset: application id -> sort key (core.listing); ties by id
    gitops:status:of:<field>:<value>  set of application ids; the fields are those of core.listing.index_fields
    gitops:resources              hash: application id -> zstd of a JSON list of ResourceView
    gitops:events                 stream, capped at 10,000: one field `e`, JSON of Event
    gitops:cluster-views          hash: cluster -> JSON of ClusterView without queue figures

Telemetry (`adapters/redis_telemetry`).

    gitops:processes              zset: JSON of [role, name, queues] -> last heartbeat, epoch seconds by Redis TIME
    gitops:settings-read          zset: JSON of [process name, digest of settings] -> when the process last told it
    gitops:last-seen              hash: beat, or a Celery queue -> when somebody who serves it was last heard of
    gitops:figures                hash: JSON of [figure, label values, part] -> sum over all processes
    gitops:figures:<application>  the same for the figures that go with an application; expires 30 days after the last
"""

PREFIX = "gitops:"

APPLICATIONS = PREFIX + "apps"
DOCUMENT_KINDS = PREFIX + "doc-kinds"
STATUS = PREFIX + "status"
STATUS_CHECKED = PREFIX + "status:checked"
RESOURCES = PREFIX + "resources"
EVENTS = PREFIX + "events"
CLUSTER_VIEWS = PREFIX + "cluster-views"
PROCESSES = PREFIX + "processes"
READINGS = PREFIX + "settings-read"
LAST_SEEN = PREFIX + "last-seen"


def documents(kind: str) -> str:
    """The hash that holds the documents of a kind."""
    return f"{PREFIX}doc:{kind}"


def status_order(order: str) -> str:
    """The sorted set that lists status rows in an order: name, sync, health, age or trouble."""
    return f"{PREFIX}status:by:{order}"


def status_set(field: str, value: str) -> str:
    """The set of application ids whose row has this value."""
    return f"{PREFIX}status:of:{field}:{value}"


def figures(app: str) -> str:
    """The hash of the figures that go with an application, or with none ("")."""
    return f"{PREFIX}figures:{app}" if app else f"{PREFIX}figures"
