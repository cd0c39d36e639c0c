package scheduler

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

func cordoned(n *corev1.Node) { n.Spec.Unschedulable = true }

func tainted(key, value string, effect corev1.TaintEffect) func(*corev1.Node) {
	return func(n *corev1.Node) {
		n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: key, Value: value, Effect: effect})
	}
}

func labelled(pairs ...string) func(*corev1.Node) {
	return func(n *corev1.Node) {
		for i := 0; i < len(pairs); i += 2 {
			n.Labels[pairs[i]] = pairs[i+1]
		}
	}
}

func asks(cpu, memory string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Spec.Containers[0].Resources = requesting(cpu, memory) }
}

func hostPortOf(port int32, ip string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.Containers[0].Ports = append(p.Spec.Containers[0].Ports, corev1.ContainerPort{HostPort: port, HostIP: ip})
	}
}

func affine(op corev1.NodeSelectorOperator, key string, values ...string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
			NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{{Key: key, Operator: op, Values: values}}}},
		}}}
	}
}

// TestFilters puts one pod before one node, on which another pod may be.
func TestFilters(t *testing.T) {
	for _, test := range []struct {
		name string
		node *corev1.Node
		on   *corev1.Pod
		pod  *corev1.Pod
		want string // why not; empty: it fits
	}{
		{"fits", testNode("n"), nil, testPod("p"), ""},
		{"cordoned", testNode("n", cordoned), nil, testPod("p"), "1 node(s) were unschedulable"},
		{"cordoned, tolerated", testNode("n", cordoned), nil, testPod("p", func(p *corev1.Pod) {
			p.Spec.Tolerations = []corev1.Toleration{{Key: corev1.TaintNodeUnschedulable, Operator: corev1.TolerationOpExists}}
		}), ""},
		{"taint", testNode("n", tainted("gpu", "yes", corev1.TaintEffectNoSchedule)), nil, testPod("p"), "1 node(s) had untolerated taint(s)"},
		{"not ready", testNode("n", tainted(corev1.TaintNodeNotReady, "", corev1.TaintEffectNoExecute)), nil, testPod("p"),
			"1 node(s) had untolerated taint(s)"},
		{"taint that only asks", testNode("n", tainted("gpu", "", corev1.TaintEffectPreferNoSchedule)), nil, testPod("p"), ""},
		{"nodeSelector", testNode("n"), nil, testPod("p", func(p *corev1.Pod) { p.Spec.NodeSelector = map[string]string{"disk": "ssd"} }),
			"1 node(s) didn't match Pod's node affinity/selector"},
		{"nodeSelector matches", testNode("n", labelled("disk", "ssd")), nil, testPod("p", func(p *corev1.Pod) { p.Spec.NodeSelector = map[string]string{"disk": "ssd"} }), ""},
		{"affinity", testNode("n", labelled("disk", "hdd")), nil, testPod("p", affine(corev1.NodeSelectorOpIn, "disk", "ssd", "nvme")),
			"1 node(s) didn't match Pod's node affinity/selector"},
		{"affinity by number", testNode("n", labelled("cores", "8")), nil, testPod("p", affine(corev1.NodeSelectorOpGt, "cores", "4")), ""},
		{"host port taken", testNode("n"), testPod("o", hostPortOf(80, "")), testPod("p", hostPortOf(80, "10.0.0.1")),
			"1 node(s) didn't have free ports for the requested pod ports"},
		{"host port of another address", testNode("n"), testPod("o", hostPortOf(80, "10.0.0.2")), testPod("p", hostPortOf(80, "10.0.0.1")), ""},
		{"cpu", testNode("n"), testPod("o", asks("3", "1Gi")), testPod("p", asks("1500m", "1Gi")), "1 Insufficient cpu"},
		{"cpu and memory", testNode("n"), nil, testPod("p", asks("5", "9Gi")), "1 Insufficient cpu, 1 Insufficient memory"},
		{"exactly full", testNode("n"), testPod("o", asks("3", "7Gi")), testPod("p", asks("1", "1Gi")), ""},
		{"asks for nothing of a full node", testNode("n"), testPod("o", asks("4", "8Gi")), testPod("p", asks("0", "0")), ""},
		{"the largest init container", testNode("n"), nil, testPod("p", func(p *corev1.Pod) {
			p.Spec.InitContainers = []corev1.Container{{Resources: requesting("5", "1Gi")}, {Resources: requesting("1", "1Gi")}}
		}), "1 Insufficient cpu"},
		{"a sidecar adds up", testNode("n"), nil, testPod("p", asks("3", "1Gi"), func(p *corev1.Pod) {
			p.Spec.InitContainers = []corev1.Container{{RestartPolicy: ptr.To(corev1.ContainerRestartPolicyAlways), Resources: requesting("2", "1Gi")}}
		}), "1 Insufficient cpu"},
		{"overhead", testNode("n"), nil, testPod("p", asks("4", "1Gi"), func(p *corev1.Pod) {
			p.Spec.Overhead = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1m")}
		}), "1 Insufficient cpu"},
		{"an extended resource", testNode("n"), nil, testPod("p", func(p *corev1.Pod) {
			p.Spec.Containers[0].Resources.Requests["example.com/gpu"] = resource.MustParse("1")
		}), "1 Insufficient example.com/gpu"},
		{"no room", testNode("n", func(n *corev1.Node) { n.Status.Allocatable[corev1.ResourcePods] = resource.MustParse("1") }), testPod("o"), testPod("p"), "1 Too many pods"},
		{"a claim", testNode("n"), nil, testPod("p", func(p *corev1.Pod) {
			p.Spec.Volumes = []corev1.Volume{{VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: "data"}}}}
		}), `persistentvolumeclaim "data" not found`},
		{"a device", testNode("n"), nil, testPod("p", func(p *corev1.Pod) { p.Spec.ResourceClaims = []corev1.PodResourceClaim{{Name: "fpga"}} }),
			`resource claim "fpga": no driver serves resource claims`},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := clusterOf(test.node)
			if test.on != nil {
				c.place(newPodInfo(test.on), "n")
			}
			node, refused := c.decide(standard, newPodInfo(test.pod))
			switch {
			case test.want == "" && refused != nil:
				t.Errorf("refused: %s", refused.message)
			case test.want != "" && node != nil:
				t.Error("placed")
			case test.want != "" && refused.message != "0/1 nodes are available: "+test.want+".":
				t.Errorf("got %q", refused.message)
			}
		})
	}
}

func TestRefusalCounts(t *testing.T) {
	c := clusterOf(testNode("a", cordoned), testNode("b", tainted("x", "1", corev1.TaintEffectNoSchedule)), testNode("c", tainted("x", "1", corev1.TaintEffectNoSchedule)), testNode("d"))
	_, refused := c.decide(standard, newPodInfo(testPod("p", asks("9", "1Gi"))))
	const want = "0/4 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable, 2 node(s) had untolerated taint(s)."
	if refused == nil || refused.message != want {
		t.Errorf("got %+v, want %q", refused, want)
	}
	if refused.wake != nodeChanged|podLeft {
		t.Errorf("wakes by %b", refused.wake)
	}
	if _, none := clusterOf().decide(standard, newPodInfo(testPod("p"))); none == nil || none.message != "no nodes available to schedule pods" {
		t.Errorf("without nodes: %+v", none)
	}
}

// TestScores lets two nodes compete; each row says what the better one has.
func TestScores(t *testing.T) {
	owned := func(p *corev1.Pod) {
		p.Labels = map[string]string{"app": "web"}
		p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: "web", UID: "set", Controller: ptr.To(true)}}
	}
	for _, test := range []struct {
		name          string
		better, worse func(*corev1.Node)
		onWorse       []*corev1.Pod
		pod           *corev1.Pod
	}{
		{"more is free", nil, nil, []*corev1.Pod{testPod("o", asks("2", "4Gi"))}, testPod("p")},
		{"in balance", nil, nil, []*corev1.Pod{testPod("o", asks("3", "0"))}, testPod("p")},
		{"no taint that asks", nil, tainted("x", "", corev1.TaintEffectPreferNoSchedule), nil, testPod("p")},
		{"preferred", labelled("disk", "ssd"), nil, nil, testPod("p", func(p *corev1.Pod) {
			p.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{PreferredDuringSchedulingIgnoredDuringExecution: []corev1.PreferredSchedulingTerm{{
				Weight: 1, Preference: corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{{Key: "disk", Operator: corev1.NodeSelectorOpIn, Values: []string{"ssd"}}}},
			}}}}
		})},
		{"none of the same owner", nil, nil, []*corev1.Pod{testPod("o", asks("0", "0"), owned)}, testPod("p", owned)},
		{"has the image", func(n *corev1.Node) {
			n.Status.Images = []corev1.ContainerImage{{Names: []string{"web:1"}, SizeBytes: 1 << 30}}
		}, nil, nil, testPod("p")},
	} {
		t.Run(test.name, func(t *testing.T) {
			for _, names := range [][2]string{{"a", "b"}, {"b", "a"}} { // whichever comes first
				better, worse := testNode(names[0]), testNode(names[1])
				if test.better != nil {
					test.better(better)
				}
				if test.worse != nil {
					test.worse(worse)
				}
				c := clusterOf(better, worse)
				c.workloads = employed{}
				for _, p := range test.onWorse {
					c.place(newPodInfo(p), worse.Name)
				}
				node, refused := c.decide(standard, newPodInfo(test.pod))
				if refused != nil || node.name != better.Name {
					t.Errorf("%v: got %v %+v\n%+v", names, node, refused, c.explain(standard, newPodInfo(test.pod)))
				}
			}
		})
	}
}

func TestSameHistorySamePlacement(t *testing.T) {
	play := func() string {
		var nodes []*corev1.Node
		for _, name := range nodeNames(300) {
			nodes = append(nodes, testNode(name))
		}
		c, history := clusterOf(nodes...), ""
		for i := range 200 {
			p := newPodInfo(testPod(fmt.Sprint(i)))
			n, _ := c.decide(standard, p)
			c.place(p, n.name)
			history += n.name + " "
		}
		return history
	}
	if a, b := play(), play(); a != b {
		t.Errorf("\n%s\n%s", a, b)
	}
}

func TestTotalsComeAndGo(t *testing.T) {
	c := newCluster(noLabels)
	p := newPodInfo(testPod("p", hostPortOf(80, "")))
	c.place(p, "n") // before its node is known
	c.setNode(testNode("n"))
	n := c.byName["n"]
	if n.requested.milliCPU != 100 || len(n.ports) != 1 || len(n.pods) != 1 {
		t.Errorf("one pod counts as %+v", n)
	}
	grown := testPod("p", asks("300m", "1Gi"), func(p *corev1.Pod) { p.Generation = 2 })
	c.place(newPodInfo(grown), "n")
	if n.requested.milliCPU != 300 || len(n.ports) != 0 {
		t.Errorf("a pod that has grown counts as %+v", n.requested)
	}
	c.removeNode("n")
	if len(c.nodes) != 0 || c.byName["n"] == nil {
		t.Error("a node that went took its pods along")
	}
	c.removePod("p")
	if len(c.byName)+len(c.pods)+len(c.classes) != 0 || n.requested.milliCPU != 0 {
		t.Errorf("something is left: %+v", c)
	}
}

func TestNodeMatters(t *testing.T) {
	c := clusterOf(testNode("n"))
	if c.setNode(testNode("n", func(n *corev1.Node) { n.Annotations = map[string]string{"beat": time.Now().String()} })) {
		t.Error("a heartbeat wakes the pods that wait")
	}
	for name, mutate := range map[string]func(*corev1.Node){
		"cordoned": cordoned, "tainted": tainted("x", "", corev1.TaintEffectNoSchedule), "labelled": labelled("a", "b"),
		"grown": func(n *corev1.Node) { n.Status.Allocatable[corev1.ResourceCPU] = resource.MustParse("8") },
	} {
		if c := clusterOf(testNode("n")); !c.setNode(testNode("n", mutate)) {
			t.Errorf("%s: does not matter", name)
		}
	}
}

func TestEnoughNodes(t *testing.T) {
	for all, want := range map[int]int{0: 0, 3: 3, 100: 100, 150: 100, 1_000: 420, 5_000: 500, 10_000: 500} {
		if got := standard.enoughNodes(all); got != want {
			t.Errorf("of %d: got %d, want %d", all, got, want)
		}
	}
}

func TestWaiting(t *testing.T) {
	for name, mutate := range map[string]func(*corev1.Pod){
		"bound":         func(p *corev1.Pod) { p.Spec.NodeName = "n" },
		"another's":     func(p *corev1.Pod) { p.Spec.SchedulerName = "mine" },
		"gated":         func(p *corev1.Pod) { p.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: "quota"}} },
		"being deleted": func(p *corev1.Pod) { p.DeletionTimestamp = ptr.To(metav1.Now()) },
		"failed":        func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed },
	} {
		if waiting(testPod("p", mutate), isStandard) {
			t.Errorf("%s: is to be placed", name)
		}
	}
	if !waiting(testPod("p"), isStandard) {
		t.Error("a new pod does not wait for a node")
	}
}

func uid(s string) types.UID { return types.UID(s) }
