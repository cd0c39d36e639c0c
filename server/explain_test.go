package server

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apiresource "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"leme/server/scheduler"
)

// TestExplain asks what the scheduler thinks of pods that are there, that are not, and that are another scheduler's.
func TestExplain(t *testing.T) {
	_, kubeconfig := start(t)
	admin, jane := kubernetes.NewForConfigOrDie(clientConfig(t, kubeconfig)), as(t, kubeconfig, "jane", "staff")
	for name, cpu := range map[string]string{"large": "8", "small": "1"} {
		has := corev1.ResourceList{
			corev1.ResourceCPU: apiresource.MustParse(cpu), corev1.ResourceMemory: apiresource.MustParse("8Gi"), corev1.ResourcePods: apiresource.MustParse("10"),
		}
		node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}, Status: corev1.NodeStatus{Capacity: has, Allocatable: has}}
		if _, err := admin.CoreV1().Nodes().Create(t.Context(), node, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"}}
	pod.Spec.SchedulerName = corev1.DefaultSchedulerName
	pod.Spec.Tolerations = []corev1.Toleration{{Operator: corev1.TolerationOpExists}}
	pod.Spec.Containers = []corev1.Container{{Name: "web", Image: "web", Resources: corev1.ResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceCPU: apiresource.MustParse("2")},
	}}}
	ask := func(as kubernetes.Interface) (e scheduler.Explanation, err error) {
		body, err := json.Marshal(pod)
		if err != nil {
			t.Fatal(err)
		}
		result := as.Discovery().RESTClient().Post().AbsPath(explainPath).Body(body).Do(t.Context())
		if err := result.Error(); err != nil {
			return e, err
		}
		raw, err := result.Raw()
		if err == nil {
			err = json.Unmarshal(raw, &e)
		}
		return e, err
	}
	e, err := ask(admin)
	if err != nil || len(e.Nodes) != 2 {
		t.Fatalf("got %+v, %v", e, err)
	}
	large, small := e.Nodes[0], e.Nodes[1]
	if !large.Best || len(large.Refusals) > 0 || len(large.Scores) == 0 || e.Message != "" {
		t.Errorf("the large node: %+v, %q", large, e.Message)
	}
	if small.Best || len(small.Refusals) != 1 || small.Refusals[0].Plugin != "NodeResourcesFit" || small.Refusals[0].Reasons[0] != "Insufficient cpu" {
		t.Errorf("the small node: %+v", small)
	}
	pod.Spec.Containers[0].Resources.Requests[corev1.ResourceCPU] = apiresource.MustParse("20")
	if e, err := ask(admin); err != nil || e.Message != "0/2 nodes are available: 2 Insufficient cpu." {
		t.Errorf("too much: %q, %v", e.Message, err)
	}
	pod.Spec.SchedulerName = "mine"
	const nobody = `no scheduler here is named "mine": the pod stays pending until one of its own places it; there is default-scheduler`
	if e, err := ask(admin); err != nil || e.Message != nobody || len(e.Nodes) != 0 {
		t.Errorf("another's: %+v, %v", e, err)
	}
	_, err = ask(jane)
	refused(t, err, `cannot list resource "nodes"`)
}

// TestSchedulerByName: pods of each scheduler that there is are placed, and say who did.
func TestSchedulerByName(t *testing.T) {
	home := t.TempDir()
	path := filepath.Join(home, "scheduler.yaml")
	if err := os.WriteFile(path, []byte("apiVersion: kubescheduler.config.k8s.io/v1\nkind: KubeSchedulerConfiguration\nprofiles:\n- {schedulerName: default-scheduler}\n- {schedulerName: packer}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := scheduler.LoadConfig(path)
	if err != nil {
		t.Fatal(err)
	}
	_, stop := run(t, Config{Home: home, Listen: "127.0.0.1:0", Version: "test", Scheduler: config})
	t.Cleanup(stop)
	client := kubernetes.NewForConfigOrDie(clientConfig(t, filepath.Join(home, "kubeconfig")))
	has := corev1.ResourceList{corev1.ResourcePods: apiresource.MustParse("10")}
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "only"}, Status: corev1.NodeStatus{Capacity: has, Allocatable: has}}
	if _, err := client.CoreV1().Nodes().Create(t.Context(), node, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"packer", "default-scheduler"} {
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.PodSpec{
			SchedulerName: name, Tolerations: []corev1.Toleration{{Operator: corev1.TolerationOpExists}}, Containers: []corev1.Container{{Name: "a", Image: "a"}},
		}}
		eventually(t, "the pod is made", func() bool {
			_, err := client.CoreV1().Pods("default").Create(t.Context(), pod, metav1.CreateOptions{})
			return err == nil
		})
		eventually(t, name+" has placed its pod, and says so", func() bool {
			events, err := client.CoreV1().Events("default").List(t.Context(), metav1.ListOptions{FieldSelector: "involvedObject.name=" + name + ",reason=Scheduled"})
			return err == nil && len(events.Items) == 1 && events.Items[0].Source.Component == name
		})
	}
}
