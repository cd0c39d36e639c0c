package scheduler

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
)

// nodeInfo is a node with the totals of what is on it. The node is nil while only its pods are known.
type nodeInfo struct {
	name        string
	slot        int // its number in what is counted by nodes
	node        *corev1.Node
	allocatable amounts
	maxPods     int64
	requested   amounts
	assumed     amounts
	pods        map[types.UID]*podInfo
	ports       []hostPort       // as often as they are taken
	images      map[string]int64 // size in bytes, by every name
	nominated   map[types.UID]*podInfo
}

func newNodeInfo(name string, slot int) *nodeInfo {
	return &nodeInfo{name: name, slot: slot, pods: make(map[types.UID]*podInfo), nominated: make(map[types.UID]*podInfo)}
}

// set takes a new state of the node. It returns whether anything changed that scheduling looks at.
func (n *nodeInfo) set(node *corev1.Node) (matters bool) {
	old := n.node
	n.node = node
	allocatable := amountsOf(node.Status.Allocatable)
	pods := node.Status.Allocatable[corev1.ResourcePods]
	matters = old == nil || !allocatable.equal(n.allocatable) || pods.Value() != n.maxPods ||
		old.Spec.Unschedulable != node.Spec.Unschedulable ||
		!sameTaints(old.Spec.Taints, node.Spec.Taints) ||
		!maps.Equal(old.Labels, node.Labels)
	n.allocatable, n.maxPods = allocatable, pods.Value()
	if old == nil || !sameImages(old.Status.Images, node.Status.Images) {
		n.images = imagesOf(node)
	}
	return matters
}

func sameTaints(a, b []corev1.Taint) bool {
	return slices.EqualFunc(a, b, func(a, b corev1.Taint) bool { return a.MatchTaint(&b) && a.Value == b.Value })
}

func sameImages(a, b []corev1.ContainerImage) bool {
	return slices.EqualFunc(a, b, func(a, b corev1.ContainerImage) bool {
		return a.SizeBytes == b.SizeBytes && slices.Equal(a.Names, b.Names)
	})
}

func imagesOf(node *corev1.Node) map[string]int64 {
	images := make(map[string]int64)
	for _, image := range node.Status.Images {
		for _, name := range image.Names {
			images[name] = image.SizeBytes
		}
	}
	return images
}

// put counts a pod, in the place of an earlier state of it.
func (n *nodeInfo) put(p *podInfo) {
	n.take(p.uid)
	n.pods[p.uid] = p
	n.count(p, 1)
	n.ports = append(n.ports, p.ports...)
}

// take removes a pod; one that is not there is no error.
func (n *nodeInfo) take(uid types.UID) {
	p, ok := n.pods[uid]
	if !ok {
		return
	}
	delete(n.pods, uid)
	n.count(p, -1)
	for _, port := range p.ports {
		if i := slices.Index(n.ports, port); i >= 0 {
			n.ports = slices.Delete(n.ports, i, i+1)
		}
	}
}

func (n *nodeInfo) count(p *podInfo, times int64) {
	n.requested.add(&p.requests, times)
	n.assumed.add(&p.assumed, times)
}

// imageName gives an image's reference the tag that it means, as nodes report it.
func imageName(name string) string {
	if strings.LastIndex(name, ":") <= strings.LastIndex(name, "/") {
		return name + ":latest"
	}
	return name
}
