package command

import (
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestPodNames(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"pod web-1 web-2", "web-1 web-2"},
		{"pod/web-1 deploy/x pods/web-2", "web-1 web-2"},
		{"pods", ""},
		{"deploy web", ""},
	} {
		if got := podNames(strings.Fields(c.args)); !reflect.DeepEqual(got, strings.Fields(c.want)) && len(got)+len(c.want) > 0 {
			t.Errorf("%s: got %q, want %q", c.args, got, c.want)
		}
	}
}

func TestPodAdvice(t *testing.T) {
	waiting := func(reason string) *corev1.Pod {
		pod := &corev1.Pod{}
		pod.Name, pod.Namespace = "web", "shop"
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
			Name: "app", Image: "a:b", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}},
		}}
		return pod
	}
	unscheduled := &corev1.Pod{}
	unscheduled.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse}}
	for _, c := range []struct {
		pod  *corev1.Pod
		want string
	}{
		{&corev1.Pod{}, ""},
		{waiting("ContainerCreating"), ""},
		{waiting("CrashLoopBackOff"), "leme logs web -c app --previous -n shop"},
		{waiting("ErrImagePull"), "the image a:b cannot be had"},
		{unscheduled, "no node fits"},
	} {
		if got := podAdvice(c.pod); !strings.Contains(got, c.want) || (c.want == "") != (got == "") {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
