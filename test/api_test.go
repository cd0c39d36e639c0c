package test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// space is a namespace of a cluster, as a client of its API sees it.
type space struct {
	*cluster
	namespace string
	client    kubernetes.Interface
}

// sharedSpace is a namespace of this test's own in the shared cluster.
func sharedSpace(t *testing.T) space {
	t.Helper()
	c, namespace := sharedCluster(t)
	return c.space(t, namespace)
}

func (c *cluster) space(t *testing.T, namespace string) space {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", c.kubeconfig())
	must(t, err)
	config.QPS = -1
	client, err := kubernetes.NewForConfig(config)
	must(t, err)
	return space{c, namespace, client}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// tool is a pod of one container "c" that does the steps, with each change made to it.
func (s space) tool(t *testing.T, name string, steps string, changes ...func(*corev1.Pod)) *corev1.Pod {
	t.Helper()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: s.namespace},
		Spec: corev1.PodSpec{
			TerminationGracePeriodSeconds: ptr(int64(2)),
			Containers:                    []corev1.Container{{Name: "c", Image: s.mustTool(t), Args: strings.Fields(steps)}},
		},
	}
	for _, change := range changes {
		change(pod)
	}
	return pod
}

// run creates a pod.
func (s space) run(t *testing.T, pod *corev1.Pod) {
	t.Helper()
	_, err := s.client.CoreV1().Pods(s.namespace).Create(t.Context(), pod, metav1.CreateOptions{})
	must(t, err)
}

// pod is a pod as it is now; nil when it is not there.
func (s space) pod(t *testing.T, name string) *corev1.Pod {
	t.Helper()
	pod, err := s.client.CoreV1().Pods(s.namespace).Get(t.Context(), name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	must(t, err)
	return pod
}

// until waits for a pod to be as it should, and returns it then.
func (s space) until(t *testing.T, name, what string, done func(*corev1.Pod) bool) *corev1.Pod {
	t.Helper()
	var pod *corev1.Pod
	eventually(t, fmt.Sprintf("pod %s: %s", name, what), func() bool {
		pod = s.pod(t, name)
		return pod != nil && done(pod)
	})
	return pod
}

// finished runs a pod to its end and returns it.
func (s space) finished(t *testing.T, pod *corev1.Pod) *corev1.Pod {
	t.Helper()
	s.run(t, pod)
	return s.until(t, pod.Name, "finished", func(p *corev1.Pod) bool {
		return p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
	})
}

// ready runs a pod and returns it once it is ready.
func (s space) ready(t *testing.T, pod *corev1.Pod) *corev1.Pod {
	t.Helper()
	s.run(t, pod)
	return s.until(t, pod.Name, "ready", isReady)
}

func isReady(p *corev1.Pod) bool {
	return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// remove deletes a pod and waits until it is gone.
func (s space) delete(t *testing.T, name string) {
	t.Helper()
	must(t, s.client.CoreV1().Pods(s.namespace).Delete(t.Context(), name, metav1.DeleteOptions{}))
	eventually(t, "pod "+name+" gone", func() bool { return s.pod(t, name) == nil })
}

// log is what a pod's container has printed.
func (s space) log(t *testing.T, pod, container string) string {
	t.Helper()
	out, err := s.client.CoreV1().Pods(s.namespace).GetLogs(pod, &corev1.PodLogOptions{Container: container}).Do(t.Context()).Raw()
	must(t, err)
	return string(out)
}

// exec runs the test program in a pod's container.
func (s space) exec(t *testing.T, pod string, steps ...string) string {
	t.Helper()
	return s.mustKubectl(t, append([]string{"exec", "-n", s.namespace, pod, "--", "/tool"}, steps...)...)
}

// events are a pod's, as REASON: MESSAGE, oldest first.
func (s space) events(t *testing.T, pod string) []string {
	t.Helper()
	list, err := s.client.CoreV1().Events(s.namespace).List(t.Context(), metav1.ListOptions{FieldSelector: "involvedObject.name=" + pod})
	must(t, err)
	slices.SortStableFunc(list.Items, func(a, b corev1.Event) int { return a.FirstTimestamp.Compare(b.FirstTimestamp.Time) })
	var lines []string
	for i := range list.Items {
		lines = append(lines, list.Items[i].Reason+": "+list.Items[i].Message)
	}
	return lines
}

// told waits until a pod has an event that begins so.
func (s space) told(t *testing.T, pod, event string) {
	t.Helper()
	var last []string
	defer func() {
		if t.Failed() {
			t.Logf("the events of pod %s:\n%s", pod, strings.Join(last, "\n"))
		}
	}()
	eventually(t, fmt.Sprintf("pod %s: event %q", pod, event), func() bool {
		last = s.events(t, pod)
		return slices.ContainsFunc(last, func(e string) bool { return strings.Contains(e, event) })
	})
}

// state is the status of a container of a pod, of an init container too.
func state(p *corev1.Pod, container string) corev1.ContainerStatus {
	for _, list := range [][]corev1.ContainerStatus{p.Status.InitContainerStatuses, p.Status.ContainerStatuses} {
		for i := range list {
			if list[i].Name == container {
				return list[i]
			}
		}
	}
	return corev1.ContainerStatus{}
}

// waiting is why a container of a pod waits; empty when it does not.
func waiting(p *corev1.Pod, container string) string {
	if w := state(p, container).State.Waiting; w != nil {
		return w.Reason
	}
	return ""
}

// ended is how a container of a pod ended last: EXITCODE REASON.
func ended(p *corev1.Pod, container string) string {
	s := state(p, container)
	for _, end := range []*corev1.ContainerStateTerminated{s.State.Terminated, s.LastTerminationState.Terminated} {
		if end != nil {
			return fmt.Sprint(end.ExitCode, " ", end.Reason)
		}
	}
	return ""
}

func ptr[T any](v T) *T { return &v }
