package simulated

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// object is the Node that an agent registers.
func (c *Config) object(i int, now time.Time) *corev1.Node {
	name := c.name(i)
	labels := map[string]string{
		corev1.LabelHostname: name, corev1.LabelOSStable: "linux", corev1.LabelArchStable: "amd64",
		corev1.LabelTopologyZone: fmt.Sprintf("zone-%d", i%c.Zones), corev1.LabelTopologyRegion: "simulated",
	}
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
	node.Status = corev1.NodeStatus{
		Capacity: c.Capacity.DeepCopy(), Allocatable: c.Capacity.DeepCopy(),
		Addresses:       []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: hostIP(i)}, {Type: corev1.NodeHostName, Address: name}},
		DaemonEndpoints: corev1.NodeDaemonEndpoints{KubeletEndpoint: corev1.DaemonEndpoint{Port: deaf}},
		NodeInfo: corev1.NodeSystemInfo{
			MachineID: name, SystemUUID: name, BootID: name, KernelVersion: "6.1", OSImage: "simulated", Architecture: "amd64",
			OperatingSystem: "linux", ContainerRuntimeVersion: "simulated://1", KubeletVersion: "v1.37.2",
		},
	}
	for _, t := range []corev1.NodeConditionType{corev1.NodeMemoryPressure, corev1.NodeDiskPressure, corev1.NodePIDPressure, corev1.NodeReady} {
		condition := corev1.NodeCondition{Type: t, Status: corev1.ConditionFalse, Reason: "Simulated", LastHeartbeatTime: seconds(now), LastTransitionTime: seconds(now)}
		if t == corev1.NodeReady {
			condition.Status = corev1.ConditionTrue
		}
		node.Status.Conditions = append(node.Status.Conditions, condition)
	}
	return node
}

func (c *Config) name(i int) string { return fmt.Sprintf("%s%05d", c.Prefix, i) }

// hostIP is a node's address, and podIP that of one of its pods: on the loopback, so that nobody is asked who is not meant.
func hostIP(i int) string { return fmt.Sprintf("127.%d.%d.1", 1+i>>8, i&255) }

func podIP(node, pod int) string {
	return fmt.Sprintf("127.%d.%d.%d", 1+node>>8, node&255, 2+pod%250)
}

// deaf is a port on which nobody listens: simulated agents have no API of their own.
const deaf = 1
