"""The MariaDB operator: servers, backups, SQL jobs, and the objects inside a server."""

from __future__ import annotations

from gitops_workers.core.health.fields import text
from gitops_workers.core.health.rules import (
    Rule,
    Step,
    Table,
    conditions,
    degraded,
    has,
    healthy,
    joined,
    met,
    progressing,
)
from gitops_workers.core.model import Health, HealthStatus

_UNTOLD = progressing("No status info available")
_NO_CONDITIONS = progressing("No status info available", has("status.conditions", None))


def _last(status: HealthStatus, message: str) -> Step:
    """Every condition has passed: what the last one says is told."""
    return conditions(lambda item: Health(status, _fill_condition(message, item)), backwards=True)


def _fill_condition(message: str, item: object) -> str:
    """The message or the reason and the message of one condition."""
    said = text(item, "message")
    return f"{text(item, 'reason')} {said}" if message == "reason" else said


_MARIADB: Rule = (
    _NO_CONDITIONS,
    conditions(
        degraded("{message}", has("status", "False"), has("reason", "Failed")),
        progressing("{message}", has("status", "False")),
    ),
    _last(HealthStatus.HEALTHY, "message"),
    healthy(),
)
_BACKUP: Rule = (
    _NO_CONDITIONS,
    conditions(
        degraded(
            "{reason} {message}", has("status", "False"), has("reason", "CronJobScheduled"), has("message", "Failed")
        ),
        progressing("{reason} {message}", has("status", "False")),
    ),
    _last(HealthStatus.HEALTHY, "reason"),
    healthy(),
)
_SQL_JOB: Rule = (
    _NO_CONDITIONS,
    conditions(
        healthy("{reason} {message}", has("reason", "JobComplete"), has("status", "True")),
        degraded("{reason} {message}", has("reason", "JobFailed"), has("status", "True")),
    ),
    _last(HealthStatus.PROGRESSING, "reason"),
    _UNTOLD,
)
_MARIADB_OBJECT: Rule = (
    conditions(healthy("{message}", *met("Ready")), degraded("{message}", has("type", "Ready"))),
    _last(HealthStatus.PROGRESSING, "message"),
    _UNTOLD,
)


RULES: Table = dict(
    (
        *joined(
            "k8s.mariadb.com",
            {
                "MariaDB MaxScale": _MARIADB,
                "Backup Restore PhysicalBackup": _BACKUP,
                "SqlJob": _SQL_JOB,
                "User Grant Database Connection ExternalMariaDB": _MARIADB_OBJECT,
            },
        ),
        ("mariadb.mmontes.io/MariaDB", _MARIADB),
    )
)
