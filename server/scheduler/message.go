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

// unserved refuses a pod that asks for what this cluster does not give at all: it stays pending rather than
// run without.
func unserved(p *podInfo, nodes int) *refusal {
	claims := p.pod.Spec.ResourceClaims
	if len(claims) == 0 {
		return nil
	}
	reason := fmt.Sprintf("resource claim %q: no driver serves resource claims", claims[0].Name)
	return &refusal{message: fmt.Sprintf("0/%d nodes are available: %s.", nodes, reason), wake: podItself}
}
