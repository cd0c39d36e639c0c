package scheduler

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"

	schedulinghelpers "k8s.io/component-helpers/scheduling/corev1"
)

// podInfo is a pod with all that deciding about it needs, worked out once.
type podInfo struct {
	pod      *corev1.Pod
	uid      types.UID
	owner    types.UID // its controller, if it has one
	class    string    // of those that rules about pods cannot tell from it
	priority int32
	since    time.Time // it waits since then

	requests amounts
	assumed  amounts // the same, with something for containers that ask for nothing: for comparing nodes
	ports    []hostPort
	images   []string         // of its containers and volumes, as nodes report them
	disks    []*corev1.Volume // that pods of one node cannot all have
	spread   []spreadTerm
	affinity podTerms // towards other pods

	required  *nodeaffinity.RequiredNodeAffinity // nil: any node
	preferred *nodeaffinity.PreferredSchedulingTerms
	nodes     []string // the only ones that its affinity names; nil: it names none
	conflict  bool     // its affinity names nodes, and no node is all of them
}

func newPodInfo(pod *corev1.Pod) *podInfo {
	p := &podInfo{
		pod:      pod,
		uid:      pod.UID,
		class:    classKey(pod),
		images:   podImages(pod),
		disks:    podDisks(pod),
		priority: schedulinghelpers.PodPriority(pod),
		since:    pod.CreationTimestamp.Time,
		ports:    hostPorts(pod),
		spread:   spreadTerms(pod),
		affinity: podAffinityTerms(pod),
	}
	p.requests, p.assumed = requests(pod)
	if owner := metav1.GetControllerOfNoCopy(pod); owner != nil {
		p.owner = owner.UID
	}
	a := pod.Spec.Affinity
	if len(pod.Spec.NodeSelector) > 0 || a != nil && a.NodeAffinity != nil {
		required := nodeaffinity.GetRequiredNodeAffinity(pod)
		p.required = &required
		p.nodes, p.conflict = namedNodes(pod)
	}
	if a != nil && a.NodeAffinity != nil && len(a.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution) > 0 {
		// The API admits no term that cannot be parsed; what parses counts.
		p.preferred, _ = nodeaffinity.NewPreferredSchedulingTerms(a.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution)
	}
	return p
}

// ends tells a pod that is being deleted.
func (p *podInfo) ends() bool { return p.pod.DeletionTimestamp != nil }

// waiting tells a pod that a scheduler is to place.
func waiting(pod *corev1.Pod, schedules func(name string) bool) bool {
	return pod.Spec.NodeName == "" && pod.DeletionTimestamp == nil && !finished(pod) &&
		schedules(pod.Spec.SchedulerName) && len(pod.Spec.SchedulingGates) == 0
}

// gated tells a pod that is not to be placed until others have taken their gates away.
func gated(pod *corev1.Pod) bool {
	return pod.Spec.NodeName == "" && pod.DeletionTimestamp == nil && len(pod.Spec.SchedulingGates) > 0
}

func finished(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

// podImages are the images that a pod needs, with the tags that they mean.
func podImages(pod *corev1.Pod) []string {
	var names []string
	for i := range pod.Spec.InitContainers {
		names = append(names, imageName(pod.Spec.InitContainers[i].Image))
	}
	for i := range pod.Spec.Containers {
		names = append(names, imageName(pod.Spec.Containers[i].Image))
	}
	for i := range pod.Spec.Volumes {
		if image := pod.Spec.Volumes[i].Image; image != nil {
			names = append(names, imageName(image.Reference))
		}
	}
	return names
}

// hostPort is a port of the node that a container takes.
type hostPort struct {
	ip       string
	protocol corev1.Protocol
	port     int32
}

const anyIP = "0.0.0.0"

// conflicts tells that two pods cannot both have their port on one node: "any address" meets every other.
func (h hostPort) conflicts(o hostPort) bool {
	return h.port == o.port && h.protocol == o.protocol && (h.ip == o.ip || h.ip == anyIP || o.ip == anyIP)
}

func hostPorts(pod *corev1.Pod) []hostPort {
	var ports []hostPort
	collect := func(c *corev1.Container) {
		for _, p := range c.Ports {
			if p.HostPort <= 0 {
				continue
			}
			h := hostPort{ip: p.HostIP, protocol: p.Protocol, port: p.HostPort}
			if h.ip == "" || h.ip == "::" {
				h.ip = anyIP
			}
			if h.protocol == "" {
				h.protocol = corev1.ProtocolTCP
			}
			ports = append(ports, h)
		}
	}
	for i := range pod.Spec.Containers {
		collect(&pod.Spec.Containers[i])
	}
	for i := range pod.Spec.InitContainers { // sidecars keep running, and so keep their ports
		if c := &pod.Spec.InitContainers[i]; c.RestartPolicy != nil && *c.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			collect(c)
		}
	}
	return ports
}
