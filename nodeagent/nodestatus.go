package nodeagent

import (
	"cmp"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/nodeagent/pod"
	"leme/nodeagent/volume"
)

// KubernetesVersion is the API that the agent speaks, as the node's kubeletVersion tells it.
const KubernetesVersion = "v1.37.2"

// maxImages bounds the images that a node's status lists (the kubelet's nodeStatusMaxImages).
const maxImages = 50

// heartbeat is how often the status goes up although nothing changed.
const heartbeat = 5 * time.Minute

// facts is what a node's status is made from.
type facts struct {
	machine  machine
	short    []corev1.NodeConditionType // what the machine runs short of
	engine   string                     // "docker://20.10.24"
	notReady string                     // what keeps the node from running pods; empty when nothing does
	images   []pod.Image
	runtimes []string // the engine's
	name, ip string
	port     int
	version  string
}

// labels are those of every node.
func (f facts) labels() map[string]string {
	return map[string]string{
		corev1.LabelHostname:   f.name,
		corev1.LabelOSStable:   "linux",
		corev1.LabelArchStable: f.machine.architecture,
	}
}

// status is the node's status now. What others set is kept, and so are times of transitions.
func (f facts) status(old corev1.NodeStatus, now time.Time) corev1.NodeStatus {
	s := *old.DeepCopy()
	s.Capacity = f.machine.capacity()
	s.Allocatable = f.machine.allocatable()
	s.Addresses = []corev1.NodeAddress{
		{Type: corev1.NodeInternalIP, Address: f.ip},
		{Type: corev1.NodeHostName, Address: f.name},
	}
	s.DaemonEndpoints.KubeletEndpoint.Port = int32(f.port)
	s.NodeInfo = corev1.NodeSystemInfo{
		MachineID: f.machine.machineID, SystemUUID: f.machine.systemUUID, BootID: f.machine.bootID,
		KernelVersion: f.machine.kernel, OSImage: f.machine.os,
		ContainerRuntimeVersion: f.engine, KubeletVersion: KubernetesVersion + "+leme-" + f.version,
		OperatingSystem: "linux", Architecture: f.machine.architecture,
	}
	if f.machine.swap > 0 {
		s.NodeInfo.Swap = &corev1.NodeSwapStatus{Capacity: &f.machine.swap}
	}
	s.Features = &corev1.NodeFeatures{SupplementalGroupsPolicy: new(true)}
	s.RuntimeHandlers = f.handlers()
	s.Images = imageList(f.images)
	for _, c := range f.conditions() {
		setCondition(&s, c, metav1.NewTime(now).Rfc3339Copy())
	}
	return s
}

// handlers are the engine's default runtime, without a name, and all by their names. What they can do is the agent's work
// and the kernel's: no engine maps the users of one pod alone.
func (f facts) handlers() []corev1.NodeRuntimeHandler {
	if f.engine == "" {
		return nil
	}
	var list []corev1.NodeRuntimeHandler
	for _, name := range append([]string{""}, f.runtimes...) {
		list = append(list, corev1.NodeRuntimeHandler{Name: name, Features: &corev1.NodeRuntimeHandlerFeatures{
			RecursiveReadOnlyMounts: new(volume.RecursivelyReadOnly()), UserNamespaces: new(false),
		}})
	}
	return list
}

func (f facts) conditions() []corev1.NodeCondition {
	ready := corev1.NodeCondition{Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "KubeletReady",
		Message: "kubelet is posting ready status"}
	if f.notReady != "" {
		ready.Status, ready.Reason, ready.Message = corev1.ConditionFalse, "KubeletNotReady", f.notReady
	}
	return []corev1.NodeCondition{
		f.pressure(corev1.NodeMemoryPressure, "KubeletHasInsufficientMemory", "kubelet has insufficient memory available",
			"KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
		f.pressure(corev1.NodeDiskPressure, "KubeletHasDiskPressure", "kubelet has disk pressure",
			"KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
		f.pressure(corev1.NodePIDPressure, "KubeletHasInsufficientPID", "kubelet has insufficient PID available",
			"KubeletHasSufficientPID", "kubelet has sufficient PID available"),
		ready,
	}
}

func (f facts) pressure(t corev1.NodeConditionType, bad, badMessage, good, goodMessage string) corev1.NodeCondition {
	if slices.Contains(f.short, t) {
		return corev1.NodeCondition{Type: t, Status: corev1.ConditionTrue, Reason: bad, Message: badMessage}
	}
	return corev1.NodeCondition{Type: t, Status: corev1.ConditionFalse, Reason: good, Message: goodMessage}
}

func setCondition(s *corev1.NodeStatus, c corev1.NodeCondition, now metav1.Time) {
	c.LastHeartbeatTime, c.LastTransitionTime = now, now
	for i := range s.Conditions {
		old := &s.Conditions[i]
		if old.Type != c.Type {
			continue
		}
		if old.Status == c.Status {
			c.LastTransitionTime = old.LastTransitionTime
		}
		*old = c
		return
	}
	s.Conditions = append(s.Conditions, c)
}

// imageList names the largest images, which cost most to bring to another node.
func imageList(images []pod.Image) []corev1.ContainerImage {
	sorted := slices.SortedFunc(slices.Values(images), func(a, b pod.Image) int {
		return cmp.Or(cmp.Compare(b.Size, a.Size), cmp.Compare(a.ID, b.ID))
	})
	var list []corev1.ContainerImage
	for _, i := range sorted {
		if len(i.Names) > 0 && len(list) < maxImages {
			list = append(list, corev1.ContainerImage{Names: i.Names[:min(len(i.Names), 5)], SizeBytes: i.Size})
		}
	}
	return list
}

// due says whether a status must go up: when it differs in more than its heartbeats, or these are old, or of the future:
// the clock was set back.
func due(old, now corev1.NodeStatus, at time.Time) bool {
	last := time.Time{}
	for _, c := range old.Conditions {
		if c.Type == corev1.NodeReady {
			last = c.LastHeartbeatTime.Time
		}
	}
	age := at.Sub(last)
	return age < 0 || age >= heartbeat || !equality.Semantic.DeepEqual(silent(old), silent(now))
}

// silent is a status without its heartbeats.
func silent(s corev1.NodeStatus) corev1.NodeStatus {
	s = *s.DeepCopy()
	for i := range s.Conditions {
		s.Conditions[i].LastHeartbeatTime = metav1.Time{}
	}
	return s
}
