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
	pulls := waiting("ContainerCreating")
	pulls.Status.ContainerStatuses[0].State.Waiting.Message = `pulling image "a:b": 45% (22.0 MiB of 49.1 MiB, 3 of 8 layers)`
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
		{pulls, "app starts once its image is here: pulling image \"a:b\": 45% (22.0 MiB"},
		{unscheduled, "leme scheduler explain"},
		{&corev1.Pod{Spec: corev1.PodSpec{SchedulerName: corev1.DefaultSchedulerName}}, ""},
		{&corev1.Pod{Spec: corev1.PodSpec{SchedulerName: "mine"}}, "it waits for the scheduler mine"},
		{&corev1.Pod{Spec: corev1.PodSpec{SchedulerName: "mine", NodeName: "a"}}, ""},
	} {
		if got := podAdvice(c.pod); !strings.Contains(got, c.want) || (c.want == "") != (got == "") {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}
