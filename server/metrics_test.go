package server

import (
	"strings"
	"testing"

	"k8s.io/client-go/kubernetes"
)

// TestMetrics: what an operator's alerts are made of is there, by the names that Kubernetes has for it.
func TestMetrics(t *testing.T) {
	_, kubeconfig := start(t)
	client := kubernetes.NewForConfigOrDie(clientConfig(t, kubeconfig)).RESTClient()
	if _, err := client.Get().AbsPath("/version").DoRaw(t.Context()); err != nil {
		t.Fatal(err)
	}
	raw, err := client.Get().AbsPath("/metrics").DoRaw(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"apiserver_request_total", "apiserver_request_duration_seconds_bucket", "apiserver_request_sli_duration_seconds_bucket",
		"apiserver_current_inflight_requests", "apiserver_resource_objects", "apiserver_client_certificate_expiration_seconds_count",
		"apiserver_flowcontrol_nominal_limit_seats", "apiserver_flowcontrol_current_inqueue_requests", "apiserver_flowcontrol_dispatched_requests_total",
		"apiserver_watch_cache_events_received_total", "apiserver_watch_cache_resource_version", "etcd_request_duration_seconds_count", "etcd_requests_total",
		"etcd_mvcc_db_total_size_in_bytes", "etcd_disk_wal_fsync_duration_seconds_bucket", "etcd_server_has_leader",
		"leader_election_master_status", "process_resident_memory_bytes", "go_goroutines",
	} {
		if !strings.Contains(string(raw), "\n"+name) {
			t.Errorf("there is no %s", name)
		}
	}
	for _, path := range []string{"/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/cmdline"} {
		if _, err := client.Get().AbsPath(path).DoRaw(t.Context()); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}
