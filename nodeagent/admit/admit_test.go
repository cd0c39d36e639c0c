package admit

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func list(amounts ...string) corev1.ResourceList {
	l := corev1.ResourceList{}
	for i := 0; i < len(amounts); i += 2 {
		l[corev1.ResourceName(amounts[i])] = resource.MustParse(amounts[i+1])
	}
	return l
}

// asking is a pod that asks for these amounts: name and quantity by turns.
func asking(name string, amounts ...string) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PodSpec{NodeName: "n", Containers: []corev1.Container{{Name: "app",
			Resources: corev1.ResourceRequirements{Requests: list(amounts...)}}}},
	}
}

// guaranteed is asking, of the best class.
func guaranteed(name string, amounts ...string) *corev1.Pod {
	p := asking(name, amounts...)
	p.Spec.Containers[0].Resources.Limits = p.Spec.Containers[0].Resources.Requests
	return p
}

func with(p *corev1.Pod, mods ...func(*corev1.Pod)) *corev1.Pod {
	for _, mod := range mods {
		mod(p)
	}
	return p
}

func priority(n int32) func(*corev1.Pod) { return func(p *corev1.Pod) { p.Spec.Priority = &n } }

func port(n int32, ip string, protocol corev1.Protocol) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.Containers[0].Ports = []corev1.ContainerPort{{HostPort: n, ContainerPort: 80, HostIP: ip, Protocol: protocol}}
	}
}

func small() *corev1.Node {
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: "n", Labels: map[string]string{"zone": "a"}},
		Status:     corev1.NodeStatus{Allocatable: list("cpu", "2", "memory", "1Gi", "ephemeral-storage", "10Gi", "pods", "3", "example.com/gpu", "1")},
	}
}

func TestFits(t *testing.T) {
	const critical = 2_000_000_000
	for _, c := range []struct {
		name   string
		pod    *corev1.Pod
		node   func(*corev1.Node)
		others []*corev1.Pod
		want   string
	}{
		{"alone", asking("p", "cpu", "2", "memory", "1Gi"), nil, nil, ""},
		{"too many processors", asking("p", "cpu", "1500m"), nil, []*corev1.Pod{asking("o", "cpu", "600m")},
			"OutOfcpu: Node didn't have enough resource: cpu, requested: 1500, used: 600, capacity: 2000"},
		{"too much memory", asking("p", "memory", "600Mi"), nil, []*corev1.Pod{asking("o", "memory", "500Mi")},
			"OutOfmemory: Node didn't have enough resource: memory, requested: 629145600, used: 524288000, capacity: 1073741824"},
		{"too much disk", asking("p", "ephemeral-storage", "11Gi"), nil, nil,
			"OutOfephemeral-storage: Node didn't have enough resource: ephemeral-storage, requested: 11811160064, used: 0, capacity: 10737418240"},
		{"one pod too many", asking("p"), nil, []*corev1.Pod{asking("a"), asking("b"), asking("c")},
			"OutOfpods: Node didn't have enough resource: pods, requested: 1, used: 3, capacity: 3"},
		{"a device", asking("p", "example.com/gpu", "1"), nil, []*corev1.Pod{asking("o", "example.com/gpu", "1")},
			"OutOfexample.com/gpu: Node didn't have enough resource: example.com/gpu, requested: 1, used: 1, capacity: 1"},
		{"a device of the cluster's", asking("p", "example.com/licence", "1"), nil, nil, ""},
		{"huge pages that the node cannot give", asking("p", "hugepages-2Mi", "4Mi"), nil, nil,
			"OutOfhugepages-2Mi: Node didn't have enough resource: hugepages-2Mi, requested: 4194304, used: 0, capacity: 0"},
		{"elsewhere", with(asking("p"), func(p *corev1.Pod) { p.Spec.NodeSelector = map[string]string{"zone": "b"} }), nil, nil,
			"NodeAffinity: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"},
		{"another's", with(asking("p"), func(p *corev1.Pod) { p.Spec.NodeName = "m" }), nil, nil,
			"NodeName: Predicate NodeName failed: node(s) didn't match the requested node name"},
		{"a port that is taken", with(asking("p"), port(80, "", "")), nil, []*corev1.Pod{with(asking("o"), port(80, "10.0.0.1", corev1.ProtocolTCP))},
			"NodePorts: Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports"},
		{"a port of another protocol", with(asking("p"), port(80, "", "")), nil, []*corev1.Pod{with(asking("o"), port(80, "", corev1.ProtocolUDP))}, ""},
		{"a port on another address", with(asking("p"), port(80, "10.0.0.2", "")), nil, []*corev1.Pod{with(asking("o"), port(80, "10.0.0.1", ""))}, ""},
		{"driven away", asking("p"), func(n *corev1.Node) {
			n.Spec.Taints = []corev1.Taint{{Key: "broken", Effect: corev1.TaintEffectNoExecute}}
		}, nil, "TaintToleration: Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate"},
		{"kept away is the scheduler's", asking("p"), func(n *corev1.Node) {
			n.Spec.Taints = []corev1.Taint{{Key: "broken", Effect: corev1.TaintEffectNoSchedule}}
		}, nil, ""},
		{"driven away, tolerates it", with(asking("p"), func(p *corev1.Pod) {
			p.Spec.Tolerations = []corev1.Toleration{{Operator: corev1.TolerationOpExists}}
		}), func(n *corev1.Node) {
			n.Spec.Taints = []corev1.Taint{{Key: "broken", Effect: corev1.TaintEffectNoExecute}}
		}, nil, ""},
		{"of another system by its label", with(asking("p"), func(p *corev1.Pod) { p.Labels = map[string]string{corev1.LabelOSStable: "windows"} }), nil, nil,
			"PodOSSelectorNodeLabelDoesNotMatch: Failed to admit pod as the `kubernetes.io/os` label doesn't match node label"},

		{"critical: the class that matters least goes", with(asking("p", "cpu", "1"), priority(critical)), nil,
			[]*corev1.Pod{guaranteed("g", "cpu", "1", "memory", "1Mi"), asking("b", "cpu", "1")}, "instead of b"},
		{"critical: as few as possible", with(asking("p", "cpu", "1"), priority(critical)), nil,
			[]*corev1.Pod{asking("s", "cpu", "300m"), asking("l", "cpu", "1"), asking("m", "cpu", "700m")}, "instead of l"},
		{"critical: as small as possible", with(asking("p", "cpu", "500m"), priority(critical)), nil,
			[]*corev1.Pod{asking("l", "cpu", "1300m"), asking("s", "cpu", "700m")}, "instead of s"},
		{"critical: room for one more pod", with(asking("p"), priority(critical)), nil,
			[]*corev1.Pod{guaranteed("g", "cpu", "1", "memory", "1Mi"), asking("b", "cpu", "1"), asking("nothing")}, "instead of nothing"},
		{"critical: others are too", with(asking("p", "cpu", "2"), priority(critical)), nil,
			[]*corev1.Pod{with(asking("o", "cpu", "1"), priority(critical))},
			"UnexpectedAdmissionError: Unexpected error while attempting to recover from admission failure: preemption: error finding a set of pods to preempt: no set of running pods found to reclaim resources: [(res: cpu, q: 1000), ]"},
		{"critical, but more than room is missing", with(asking("p", "cpu", "2"), priority(critical), func(p *corev1.Pod) { p.Spec.NodeSelector = map[string]string{"zone": "b"} }), nil,
			[]*corev1.Pod{asking("o", "cpu", "1")}, "NodeAffinity: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"},
	} {
		t.Run(c.name, func(t *testing.T) {
			node := small()
			if c.node != nil {
				c.node(node)
			}
			v := Fits(c.pod, node, c.others)
			got := ""
			if v.Reason != "" {
				got = fmt.Sprintf("%s: %s", v.Reason, v.Message)
			}
			if len(v.Victims) > 0 {
				var names []string
				for _, o := range v.Victims {
					names = append(names, o.Name)
				}
				got = "instead of " + strings.Join(names, ", ")
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}
