"""Every key of queue and state in Redis, and its shape: the one place to look before adding or reading one.

All start with `gitops:`; what starts with `gitops:celery:` is Celery's own (the broker's `global_keyprefix`). The Lua
files beside the adapters build names from parts, hence one Redis or Sentinel, not Redis Cluster. Nothing is ever found
by SCAN or KEYS. All is rebuildable: desired state is in Git, records and history are in the destination clusters.

Queue (written only by the Lua files of `adapters/redis_queue`; times are epoch seconds by Redis TIME). A *member* is
`a:<application id>` or `p:<poll group>`; a *class* is a `ports.Urgency`.

    gitops:member:<member>        hash, one per member; its fields:
        cluster, fleet            where it is admitted; a poll group has no fleet
        want, done                generations
        state                     idle, queued (a doorbell is out) or running (somebody has the lease)
        class                     the due set it is in; "" is off the queue
        span                      seconds from the last scheduling to its due time
        ask                       most urgent class asked for since it was queued
        asked                     refs listed before it are too old
        token                     the holder's
        rings                     doorbells in a row that nobody answered
        slot                      the cluster whose in-flight set it is in
        reasons, taken            JSON lists: since the last attempt began, and those that attempt took
    gitops:members                zset: member -> when the sweep last looked at it
    gitops:due:<class>:<cluster>  zset: member -> due time; while queued or running, the end of its lease
    gitops:inflight:<cluster>     zset: member -> end of its lease; what admission counts
    gitops:ready                  zset: cluster -> when a dispatch can next take something from it
    gitops:breaker:<cluster>      hash: failures (in a row), probe (not before), message
    gitops:fence                  string: the last token; max(last + 1, microseconds), so that it grows over FLUSHALL
    gitops:every                  hash: name -> when it last happened

State (`adapters/redis_state`). *Sealed* is `redis_state.sealed`: JSON, zstd when large, behind a keyed digest.

    gitops:apps                   hash: application id -> sealed core.model.Application
    gitops:doc:<kind>             hash: key -> sealed JSON document; the empty key is the installation's
    gitops:doc-kinds              set: the kinds there are
    gitops:status                 hash: application id -> msgpack of token, group, sync, health, project, cluster,
                                  dialect, JSON of Status
    gitops:status:checked         hash: poll group -> "<RFC 3339> <applications>" of its last quiet round
    gitops:status:by:<order>      zset: application id -> sort key (core.listing); ties by id
    gitops:status:of:<field>:<value>  set of application ids; fields sync, health, project, cluster, dialect
    gitops:resources              hash: application id -> zstd of a JSON list of ResourceView
    gitops:events                 stream, capped at 10,000: one field `e`, JSON of Event
    gitops:cluster-views          hash: cluster -> JSON of ClusterView without queue figures
"""

PREFIX = "gitops:"

APPLICATIONS = PREFIX + "apps"
DOCUMENT_KINDS = PREFIX + "doc-kinds"
STATUS = PREFIX + "status"
STATUS_CHECKED = PREFIX + "status:checked"
RESOURCES = PREFIX + "resources"
EVENTS = PREFIX + "events"
CLUSTER_VIEWS = PREFIX + "cluster-views"


def documents(kind: str) -> str:
    """The hash that holds the documents of a kind."""
    return f"{PREFIX}doc:{kind}"


def status_order(order: str) -> str:
    """The sorted set that lists status rows in an order: name, sync, health or age."""
    return f"{PREFIX}status:by:{order}"


def status_set(field: str, value: str) -> str:
    """The set of application ids whose row has this value."""
    return f"{PREFIX}status:of:{field}:{value}"
