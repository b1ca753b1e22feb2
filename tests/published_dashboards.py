"""What the dashboards that Argo CD and Flux publish ask for: metric names with the labels they select or group by.

Argo CD: examples/dashboard.json (of 3.x); Flux: flux2-monitoring-example, dashboards/cluster.json. Left out is what
tells of another program: Go's runtime (go_*), gRPC, kubectl's forks (there are none here), the kubelet (container_*,
kube_pod_info), and `process_*`, which each process tells of itself where GITOPS_METRICS_ADDRESS is set.
"""

PUBLISHED = {
    "argocd_app_info": {
        *("namespace", "name", "project", "repo", "dest_server", "health_status", "sync_status", "operation"),
    },
    "argocd_app_sync_total": {"namespace", "name", "project", "dest_server", "phase"},
    "argocd_app_reconcile_count": {"namespace", "dest_server"},
    "argocd_app_reconcile_bucket": {"namespace", "dest_server", "le"},
    "argocd_app_k8s_request_total": {"namespace", "server", "verb", "resource_kind"},
    "argocd_cluster_info": {"server"},
    "argocd_cluster_api_resource_objects": {"server"},
    "argocd_cluster_api_resources": {"server"},
    "argocd_git_request_total": {"request_type"},
    "argocd_git_request_duration_seconds_bucket": {"request_type", "le"},
    "argocd_redis_request_total": {"failed"},
    "workqueue_depth": {"name"},
    "gotk_resource_info": {"exported_namespace", "customresource_kind", "ready", "name"},
    "gotk_reconcile_duration_seconds_sum": {"kind", "namespace", "name"},
    "gotk_reconcile_duration_seconds_count": {"kind", "namespace", "name"},
}

WHEN_SOMETHING_DRIFTS = {"argocd_cluster_events_total": {"server"}}
