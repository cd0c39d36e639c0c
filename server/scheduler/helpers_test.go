package scheduler

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
)

// testNode has 4 CPUs, 8 GiB and room for 110 pods, unless a mutator says otherwise.
func testNode(name string, mutate ...func(*corev1.Node)) *corev1.Node {
	n := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelHostname: name}},
		Status: corev1.NodeStatus{Allocatable: corev1.ResourceList{
			corev1.ResourceCPU:    resource.MustParse("4"),
			corev1.ResourceMemory: resource.MustParse("8Gi"),
			corev1.ResourcePods:   resource.MustParse("110"),
		}},
	}
	for _, m := range mutate {
		m(n)
	}
	return n
}

// testPod asks for 100m and 128 MiB, unless a mutator says otherwise.
func testPod(name string, mutate ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, UID: types.UID(name)},
		Spec: corev1.PodSpec{
			SchedulerName: corev1.DefaultSchedulerName,
			Containers:    []corev1.Container{{Name: "main", Image: "web:1", Resources: requesting("100m", "128Mi")}},
		},
	}
	for _, m := range mutate {
		m(p)
	}
	return p
}

func requesting(cpu, memory string) corev1.ResourceRequirements {
	return corev1.ResourceRequirements{Requests: corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory),
	}}
}

func nodeNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("node-%04d", i)
	}
	return names
}

func noLabels(string) map[string]string { return nil }

func clusterOf(nodes ...*corev1.Node) *cluster {
	c := newCluster(noLabels)
	for _, n := range nodes {
		c.setNode(n)
	}
	return c
}

// standard is what kube-scheduler has by default.
var standard = newProfile(corev1.DefaultSchedulerName)

func isStandard(name string) bool { return name == standard.name }

// employed are Workloads in which every controller selects the web's pods.
type employed struct{ unemployed }

func (employed) Selector(string, *metav1.OwnerReference) labels.Selector {
	return labels.SelectorFromSet(labels.Set{"app": "web"})
}
