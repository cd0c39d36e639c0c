package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// row is one line of the table. Where there is a reference, the budget is for measured / reference.
type row struct {
	benchmark string
	what      string
	unit      string
	reference string
	budget    float64 // 0: none, it is shown for information
}

// peer is a reference that cannot be built everywhere: without it a row shows what was measured alone, and one that is
// only about the comparison is left out.
const peer = "kube-apiserver"

// rows are the table, top to bottom.
var rows = []row{
	{"Up", "leme up to a Ready node", "ms", "", 2000},
	{"Idle", "memory of an idle cluster, etcd included", "MB", "", 100},
	{"Idle", "… without the pages of files", "own-MB", "", 0},
	{"Idle", "processor of an idle cluster", "%-cpu", "", 0},
	{"Agent/netns", "memory of an idle agent with 50 pods", "MB", "", 40},
	{"Agent/netns", "… without the pages of files", "own-MB", "", 0},
	{"Agent/netns", "processor of an idle agent with 50 pods", "%-cpu", "", 1},
	{"Agent/netns", "memory of a pod's sandbox", "MB/pod", "", 1},
	{"PodStart/netns", "pod created to Running, image present", "ms", "docker run -d", 0.9},
	{"PodStart/bridge", "… connected by the engine", "ms", "docker run -d", 1.3},
	{"PodOfThree/netns", "pod of three containers", "ms", "docker run -d", 1.6},
	{"PodOfThree/bridge", "… connected by the engine", "ms", "docker run -d", 1.6},
	{"PodsAtOnce/netns", "50 pods at once", "ms", "50 containers", 1.2},
	{"PodsAtOnce/bridge", "… connected by the engine", "ms", "50 containers", 1.2},
	{"PodToken", "… with its service account's token", "ms", "without", 1.05},
	{"Pull/small", "pull 6 MB", "ms", "docker pull", 1.05},
	{"Pull/one_layer", "pull one layer of 120 MB", "ms", "docker pull", 1.05},
	{"Pull/eight_layers", "pull eight layers of 36 MB", "ms", "docker pull", 1.05},
	{"Pull/one_layer,_6_MB/s_a_connection", "pull one layer of 120 MB, 6 MB/s a connection", "ms", "docker pull", 0.5},
	{"Pull/eight_layers,_6_MB/s_a_connection", "pull eight layers of 36 MB, 6 MB/s a connection", "ms", "docker pull", 0.5},
	{"Pull/eight_layers,_12_MB/s_in_all", "pull eight layers of 36 MB, 12 MB/s in all", "ms", "docker pull", 0.85},
	{"AgentPull", "memory of an agent that pulls 1 GB", "MB", "", 60},
	{"AgentPull", "… without the pages of the program's file", "own-MB", "", 0},
	{"OneShot", "leme get pods", "ms", "kubectl get pods", 0.6},
	{"Engine", "completion, 10,000 pods, 99th percentile of key presses", "ms", "", 1},
	{"Complete", "leme __complete get po x, 10,000 pods", "ms", "kubectl __complete", 0},
	{"Schedule/plain", "1,000 pods bound, on 5,000 nodes, synced to disk (3,750/s)", "ms", "", 267},
	{"Schedule/plain", "… processor", "cpu-ms", "", 0},
	{"Schedule/together", "… with anti-affinity and spread (500/s)", "ms", "", 2000},
	{"Schedule/together", "… processor", "cpu-ms", "", 0},
	{"ScaleUp", "Deployment from 0 to 5,000 ready pods, on 5,000 nodes", "ms", "", 10_000},
	{"ScaleUp", "… server's memory at most", "MB", "", 0},
	{"Serving/list_as_JSON", "list of 10,000 pods as JSON", "ms", peer, 0.2},
	{"Serving/list_as_JSON", "… server's processor", "cpu-ms", peer, 0.2},
	{"Serving/list_as_Table", "list of 10,000 pods as Table", "ms", peer, 0.2},
	{"Serving/list_as_Table", "… server's processor", "cpu-ms", peer, 0.2},
	{"Serving/list_as_protobuf", "list of 10,000 pods as protobuf", "ms", peer, 0.2},
	{"Serving/list_as_protobuf", "… server's processor", "cpu-ms", peer, 0.2},
	{"Serving/list_as_JSON,_gzip_asked_for", "list of 10,000 pods, gzip asked for", "ms", peer, 0},
	{"Serving/get_as_JSON", "get", "ms", peer, 0.5},
	{"Serving/get_as_JSON,_same_etcd", "… over the same etcd", "ms", peer, 0.5},
	{"Serving/get_as_JSON,_same_etcd", "… server's processor", "cpu-ms", peer, 0.5},
	{"Serving/create_a_pod", "create", "ms", peer, 0.67},
	{"Serving/create_a_pod,_same_etcd", "… over the same etcd", "ms", peer, 0.67},
	{"Serving/create_a_pod,_same_etcd", "… server's processor", "cpu-ms", peer, 0.67},
	{"Serving/update_a_pod", "update", "ms", peer, 0},
	{"Serving/update_a_pod,_same_etcd", "… over the same etcd", "ms", peer, 0},
	{"Serving/patch_a_pod", "patch", "ms", peer, 0},
	{"Serving/patch_a_pod,_same_etcd", "… over the same etcd", "ms", peer, 0},
	{"Serving/one_event_to_1,000_watchers", "one event to 1,000 watchers", "ms", peer, 0.2},
	{"Serving/one_event_to_1,000_watchers,_same_etcd", "… server's processor", "cpu-ms", peer, 0.2},
	{"Serving/one_event_to_1,000_watchers,_bare", "… by a program that only encrypts and writes", "ms", peer, 0},
	{"Serving/one_event_to_1,000_watchers,_bare", "… its processor", "cpu-ms", peer, 0},
	{"Serving/one_event_to_1,000_watchers,_100_a_connection", "one event to 1,000 watchers, 100 a connection", "ms", peer, 0.2},
	{"Serving/one_event_to_1,000_watchers,_100_a_connection,_same_etcd", "… server's processor", "cpu-ms", peer, 0.2},
	{"Serving/one_event_to_1,000_watchers,_100_a_connection,_bare", "… by a program that only encrypts and writes", "ms", peer, 0},
	{"Serving/one_event_to_1,000_watchers,_100_a_connection,_bare", "… its processor", "cpu-ms", peer, 0},
	{"Serving/memory_idle,_etcd_included", "server's memory idle, etcd included", "MB", peer, 0.25},
	{"Serving/memory_idle,_etcd_included", "… without the pages of files", "own-MB", peer, 0},
	{"Serving/memory_idle,_etcd_apart", "… over the same etcd", "MB", peer, 0.25},
	{"Serving/memory_idle,_etcd_apart", "… without the pages of files", "own-MB", peer, 0},
	{"Serving/memory_with_10,000_pods,_etcd_included", "server's memory with 10,000 pods, etcd included", "MB", peer, 0.25},
	{"Serving/memory_with_10,000_pods,_etcd_included", "… without the pages of files", "own-MB", peer, 0},
	{"Serving/memory_with_10,000_pods,_etcd_apart", "… over the same etcd", "MB", peer, 0.25},
	{"Serving/memory_with_10,000_pods,_etcd_apart", "… without the pages of files", "own-MB", peer, 0},
	{"Serving/memory_at_most_while_listing,_etcd_apart", "server's memory at most while listing", "MB", peer, 0.5},
}

// write prints the table, and says which benchmarks gave nothing for it.
func write(out io.Writer, rows []row, measured results) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "what\tmeasured\treference\tratio\tbudget\t")
	var missing []string
	for _, r := range rows {
		cells, ok := r.cells(measured[r.benchmark])
		if !ok {
			if r.reference != peer {
				missing = append(missing, r.benchmark)
			}
			continue
		}
		fmt.Fprintln(table, strings.Join(cells, "\t")+"\t")
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if len(missing) > 0 {
		return fmt.Errorf("these benchmarks measured nothing: %s", strings.Join(missing, ", "))
	}
	return nil
}

// cells are a row as it is printed; false when the benchmark did not report what the row shows.
func (r row) cells(metrics map[string]float64) ([]string, bool) {
	value, ok := metrics[r.unit]
	if !ok {
		return nil, false
	}
	cells := []string{r.what, quantity(value, r.unit), "", "", ""}
	judged := value
	if r.reference != "" {
		reference, ok := metrics["reference-"+r.unit]
		if !ok || reference == 0 {
			return cells, r.reference == peer
		}
		judged = value / reference
		cells[2], cells[3] = fmt.Sprintf("%s %s", r.reference, quantity(reference, r.unit)), fmt.Sprintf("%.2f", judged)
	}
	if r.budget > 0 {
		cells[4] = r.allowed() + verdict(judged, r.budget)
	}
	return cells, true
}

func (r row) allowed() string {
	if r.reference != "" {
		return fmt.Sprintf("%.3gx", r.budget)
	}
	return quantity(r.budget, r.unit)
}

func verdict(value, budget float64) string {
	if value > budget {
		return " missed"
	}
	return " met"
}

// quantity writes a number as people read it.
func quantity(value float64, unit string) string {
	switch unit {
	case "%-cpu":
		return fmt.Sprintf("%.1f %% of one", value)
	case "cpu-ms":
		unit = "ms"
	case "own-MB", "MB/pod":
		unit = "MB"
	}
	digits := 0
	if value < 10 {
		digits = 2
	}
	return fmt.Sprintf("%.*f %s", digits, value, unit)
}
