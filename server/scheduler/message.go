package scheduler

import (
	"fmt"
	"slices"
	"strings"
)

// unavailable words why no node takes a pod, as kube-scheduler does:
// "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) were unschedulable."
func unavailable(nodes int, reasons map[string]int) string {
	var counted []string
	for reason, n := range reasons {
		counted = append(counted, fmt.Sprintf("%d %s", n, reason))
	}
	slices.Sort(counted)
	return fmt.Sprintf("0/%d nodes are available: %s.", nodes, strings.Join(counted, ", "))
}
