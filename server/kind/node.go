package kind

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"
)

// Node is a Docker host that runs pods.
var Node = &Kind{
	GroupVersionKind: core("Node"),
	Resource:         "nodes",
	Singular:         "node",
	ShortNames:       []string{"no"},
	New:              makes[corev1.Node](),
	NewList:          makes[corev1.NodeList](),

	Default: changes(defaultNode),
	// A node is created with its status, by the agent that registers it.
	PrepareUpdate: changesOver(func(updated, old *corev1.Node) { updated.Status = old.Status }),
	PrepareStatus: changesOver(func(updated, old *corev1.Node) { updated.Spec = old.Spec }),
	HasStatus:     true,
	Subresources: []Subresource{
		proxied(connection[corev1.NodeProxyOptions]("proxy", proxyVerbs, core("NodeProxyOptions"))),
	},

	Validate:       validates(validateNode),
	ValidateUpdate: validatesOver(validateNodeUpdate),

	Fields:      valuesOf(nodeFields),
	FieldLabels: labelsOf(nodeFields),
	Columns:     nodeColumns,
	Row:         prints(nodeRow),
}

var nodeFields = []selectable[*corev1.Node]{
	{"spec.unschedulable", func(n *corev1.Node) string { return strconv.FormatBool(n.Spec.Unschedulable) }},
}

// defaultNode lets pods have all that the node has, unless the node keeps some back.
func defaultNode(n *corev1.Node) {
	defaultNodeAddresses(&n.Spec)
	roundResources(n.Status.Capacity)
	roundResources(n.Status.Allocatable)
	if n.Status.Allocatable == nil && n.Status.Capacity != nil {
		n.Status.Allocatable = n.Status.Capacity.DeepCopy()
	}
}
