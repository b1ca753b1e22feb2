"""What the objects of the demo show at the API servers: whether they run, what they run, since when."""

from __future__ import annotations

from gitops_workers.local.demo.scene import Json


def created(item: Json | None) -> str:
    """When it was created, as RFC 3339; "" while it is not there."""
    return str(item["metadata"]["creationTimestamp"]) if item is not None else ""


def ended(job: Json | None) -> str:
    """When a Job had succeeded, as RFC 3339; "" before."""
    return str(job["status"].get("completionTime", "")) if job is not None else ""


def rolled_out(item: Json | None, tag: str) -> str:
    """When the pods of this image were ready, as RFC 3339; "" before."""
    progress = condition(item, "Progressing")
    done = image(item).endswith(f":{tag}") and available(item) and progress.get("reason") == "NewReplicaSetAvailable"
    return str(progress["lastUpdateTime"]) if done else ""


def condition(item: Json | None, name: str) -> Json:
    """Return the condition of that type, empty while the object or the condition is not there."""
    # A definition that was created this very moment has `conditions: null`.
    conditions = (item.get("status") or {}).get("conditions") or () if item is not None else ()
    return next((found for found in conditions if found["type"] == name), {})


def identity(item: Json | None) -> tuple[str, str]:
    """The incarnation and, for what has one, the generation: controllers write status without changing either."""
    if item is None:
        return "", ""
    metadata = item["metadata"]
    return metadata["uid"], str(metadata.get("generation", metadata["resourceVersion"]))


def available(item: Json | None, replicas: int | None = None) -> bool:
    """Whether a Deployment runs all its pods, and these are `replicas` where that is given."""
    if item is None:
        return False
    wanted = replica_count(item)
    seen = item["status"].get("observedGeneration", 0) >= item["metadata"]["generation"]
    enough = item["status"].get("availableReplicas", 0) == wanted
    return bool(seen and enough and wanted > 0 and replicas in (None, wanted))


def replica_count(item: Json | None) -> int:
    """How many pods a Deployment wants; -1 while it is not there."""
    return int(item["spec"]["replicas"]) if item is not None else -1


def image(item: Json | None) -> str:
    """The image of a Deployment's first container; "" while it is not there."""
    return str(item["spec"]["template"]["spec"]["containers"][0]["image"]) if item is not None else ""
