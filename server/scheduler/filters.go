package scheduler

import (
	corev1 "k8s.io/api/core/v1"
	schedulinghelpers "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/klog/v2"
)

// filter is a rule that a node must satisfy. check is called for many nodes and must be quick; explain gives
// the reasons for one that check refused, in kube-scheduler's words, which people search for.
type filter struct {
	name    string
	check   func(d *decision, n *nodeInfo) bool
	explain func(d *decision, n *nodeInfo) []string
	wake    change // what may make the refused pod fit
	// inTheWay tells whether it is what pods on the node take that refuses it; nil: never.
	inTheWay func(d *decision, n *nodeInfo) bool
	// hint tells whether one of those changes may really do so; nil: any may.
	hint func(d *decision, h happening) bool
}

// change is a set of kinds of changes in the cluster.
type change uint8

const (
	nodeChanged    change = 1 << iota // a node came, or what is decided by changed on one
	podLeft                           // a pod went from its node
	podPlaced                         // a pod came to a node
	podItself                         // only a change of the pod itself helps
	storageChanged                    // a claim, a volume or a storage class came or changed
	anyChange      = nodeChanged | podLeft | podPlaced
)

// filters is the table of rules, in order: the first that refuses a node is the one that is told.
var filters = []filter{
	{"NodeName", checkName, says("node(s) didn't match the requested node name"), nodeChanged, nil, nodePasses(checkName)},
	{"NodeUnschedulable", checkUnschedulable, says("node(s) were unschedulable"), nodeChanged, nil, nodePasses(checkUnschedulable)},
	{"TaintToleration", checkTaints, says("node(s) had untolerated taint(s)"), nodeChanged, nil, nodePasses(checkTaints)},
	{"NodeAffinity", checkAffinity, explainAffinity, nodeChanged, nil, nodePasses(checkAffinity)},
	{"NodePorts", checkPorts, says("node(s) didn't have free ports for the requested pod ports"), nodeChanged | podLeft, always, freesPort},
	{"NodeResourcesFit", checkFit, explainFit, nodeChanged | podLeft, fitsAlone, makesRoom},
	{"VolumeRestrictions", checkRestrictions, explainRestrictions, nodeChanged | podLeft, always, freesDisk},
	{"NodeVolumeLimits", checkLimits, says("node(s) exceed max volume count"), nodeChanged | podLeft | storageChanged, always, detaches},
	{"VolumeBinding", checkVolumes, explainVolumes, nodeChanged | storageChanged, nil, nil},
	{"VolumeZone", checkZones, says("node(s) had no available volume zone"), nodeChanged | storageChanged, nil, nil},
	{"PodTopologySpread", checkSpread, explainSpread, anyChange, inDomains, changesSpread},
	{"InterPodAffinity", checkPodAffinity, explainPodAffinity, anyChange, missesNobody, changesNeighbours},
}

// notNamed refuses nodes that the pod's affinity does not name, without looking at them.
var notNamed = filter{
	"NodeAffinity", (*decision).names, says("node(s) didn't satisfy plugin(s) [NodeAffinity]"), nodeChanged, nil, nodePasses((*decision).names),
}

func always(*decision, *nodeInfo) bool { return true }

func says(reason string) func(*decision, *nodeInfo) []string {
	reasons := []string{reason}
	return func(*decision, *nodeInfo) []string { return reasons }
}

var cordon = corev1.Taint{Key: corev1.TaintNodeUnschedulable, Effect: corev1.TaintEffectNoSchedule}

func checkUnschedulable(d *decision, n *nodeInfo) bool {
	return !n.node.Spec.Unschedulable || tolerates(d.pod.pod, &cordon)
}

func tolerates(pod *corev1.Pod, taint *corev1.Taint) bool {
	return schedulinghelpers.TolerationsTolerateTaint(klog.Background(), pod.Spec.Tolerations, taint, true)
}

func toleration(t *corev1.Toleration, taint *corev1.Taint) bool {
	return t.ToleratesTaint(klog.Background(), taint, true)
}

func checkName(d *decision, n *nodeInfo) bool {
	return d.pod.pod.Spec.NodeName == "" || d.pod.pod.Spec.NodeName == n.name
}

// untolerated returns the first taint that keeps the pod away, or nil.
func untolerated(pod *corev1.Pod, node *corev1.Node) *corev1.Taint {
	for i := range node.Spec.Taints {
		t := &node.Spec.Taints[i]
		if t.Effect != corev1.TaintEffectPreferNoSchedule && !tolerates(pod, t) {
			return t
		}
	}
	return nil
}

func checkTaints(d *decision, n *nodeInfo) bool {
	return len(n.node.Spec.Taints) == 0 || untolerated(d.pod.pod, n.node) == nil
}

func checkAffinity(d *decision, n *nodeInfo) bool {
	if added := d.profile.addedRequired; added != nil && !added.Match(n.node) {
		return false
	}
	return d.pod.required == nil || matches(d.pod.required, n.node)
}

func explainAffinity(d *decision, n *nodeInfo) []string {
	if added := d.profile.addedRequired; added != nil && !added.Match(n.node) {
		return []string{"node(s) didn't match scheduler-enforced node affinity"}
	}
	return []string{"node(s) didn't match Pod's node affinity/selector"}
}

func checkPorts(d *decision, n *nodeInfo) bool {
	for _, want := range d.pod.ports {
		for _, taken := range n.ports {
			if want.conflicts(taken) {
				return false
			}
		}
	}
	return true
}

// fits tells whether an amount can be added; nothing always can, also where more is used than there is.
func fits(want, used, all int64) bool { return want == 0 || want <= all-used }

func checkFit(d *decision, n *nodeInfo) bool {
	want := &d.pod.requests
	if int64(len(n.pods)) >= n.maxPods ||
		!fits(want.milliCPU, n.requested.milliCPU, n.allocatable.milliCPU) ||
		!fits(want.memory, n.requested.memory, n.allocatable.memory) ||
		!fits(want.ephemeral, n.requested.ephemeral, n.allocatable.ephemeral) {
		return false
	}
	for name, amount := range want.scalar {
		if !d.ignores(name) && !fits(amount, n.requested.scalar[name], n.allocatable.scalar[name]) {
			return false
		}
	}
	return true
}

// ignores tells a resource that others than nodes give.
func (d *decision) ignores(name corev1.ResourceName) bool {
	return d.profile.ignored != nil && d.profile.ignored(name)
}

// fitsAlone tells whether an empty node of that size would do.
func fitsAlone(d *decision, n *nodeInfo) bool {
	want, all := &d.pod.requests, &n.allocatable
	for name, amount := range want.scalar {
		if !d.ignores(name) && amount > all.scalar[name] {
			return false
		}
	}
	return n.maxPods > 0 && want.milliCPU <= all.milliCPU && want.memory <= all.memory && want.ephemeral <= all.ephemeral
}

// explainFit names everything that is short, not just the first.
func explainFit(d *decision, n *nodeInfo) []string {
	var reasons []string
	short := func(name corev1.ResourceName, want, used, all int64) {
		if !fits(want, used, all) {
			reasons = append(reasons, "Insufficient "+string(name))
		}
	}
	if int64(len(n.pods)) >= n.maxPods {
		reasons = append(reasons, "Too many pods")
	}
	want := &d.pod.requests
	short(corev1.ResourceCPU, want.milliCPU, n.requested.milliCPU, n.allocatable.milliCPU)
	short(corev1.ResourceMemory, want.memory, n.requested.memory, n.allocatable.memory)
	short(corev1.ResourceEphemeralStorage, want.ephemeral, n.requested.ephemeral, n.allocatable.ephemeral)
	for name, amount := range want.scalar {
		if d.ignores(name) {
			continue
		}
		short(name, amount, n.requested.scalar[name], n.allocatable.scalar[name])
	}
	return reasons
}
