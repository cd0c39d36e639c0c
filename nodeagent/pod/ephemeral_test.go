package pod

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// debugged is a pod that somebody looks around in.
func debugged(target string) func(*View) {
	return func(v *View) {
		v.Pod.Spec.EphemeralContainers = []corev1.EphemeralContainer{{
			TargetContainerName: target, EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "debug", Image: "img:1"},
		}}
	}
}

func TestPlanEphemeralContainers(t *testing.T) {
	told := func(v *View) {
		v.Pod.Status.EphemeralContainerStatuses = []corev1.ContainerStatus{{Name: "debug", ContainerID: "docker://x"}}
	}
	never := func(v *View) { v.Pod.Spec.RestartPolicy = corev1.RestartPolicyNever }
	for _, c := range []struct {
		name string
		have []Container
		mod  []func(*View)
		want string
	}{
		{"beside what runs", []Container{made("web", 0, Running)}, nil, "start debug 0"},
		{"beside an init container", nil, []func(*View){func(v *View) {
			v.Pod.Spec.InitContainers = []corev1.Container{{Name: "one", Image: "img:1"}}
		}}, "start debug 0; start one 0"},
		{"created and not started", []Container{made("web", 0, Running), made("debug", 0, Created)}, nil, "start debug 0 (created before)"},
		{"runs", []Container{made("web", 0, Running), made("debug", 0, Running)}, nil, ""},
		{"has ended", []Container{made("web", 0, Running), exited("debug", 0, 1)}, nil, ""},
		{"was lost", []Container{made("web", 0, Running)}, []func(*View){told}, ""},
		{"the pod is over", []Container{exited("web", 0, 0), made("debug", 0, Running)}, []func(*View){never}, "kill debug within 5s: Stopping container debug"},
		{"no sandbox", []Container{exited("web", 0, 0)}, []func(*View){func(v *View) { v.Containers[0].State = Exited }}, "run sandbox 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := view(c.have...)
			debugged("")(v)
			for _, mod := range c.mod {
				mod(v)
			}
			if got := v.Plan(now).String(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestEphemeralStatus(t *testing.T) {
	v := view(made("web", 0, Running), exited("debug", 0, 3))
	debugged("")(v)
	s := v.Status(v.Plan(now), now)
	if len(s.EphemeralContainerStatuses) != 1 || containerLine(s.EphemeralContainerStatuses[0]) != "debug 0 Error(3)" {
		t.Errorf("got %+v", s.EphemeralContainerStatuses)
	}
	if got := statusLine(s); got != "Running PodReadyToStartContainers Initialized Ready ContainersReady | web 0 running ready" {
		t.Errorf("the rest is %s", got)
	}
}

func TestEphemeralTarget(t *testing.T) {
	v := view(made("web", 0, Running))
	debugged("web")(v)
	if id, err := target(v.Pod, groupOf(v.Containers), "debug"); err != nil || id != "web0" {
		t.Errorf("got %s, %v", id, err)
	}
	v.Containers = v.Containers[:1]
	if _, err := target(v.Pod, groupOf(v.Containers), "debug"); err == nil {
		t.Error("a target that does not run was found")
	}
}

// An ephemeral container comes to a running pod, whose own container is not touched.
func TestEphemeralContainerComesAndGoes(t *testing.T) {
	b := newBed(t, newEngine("img:1"), bound())
	b.until("ready", b.ready("web"))
	before := b.engine.list("")
	pod := b.pod("web")
	debugged("web")(&View{Pod: pod})
	if _, err := b.client.CoreV1().Pods("ns").Update(t.Context(), pod, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	state := func() corev1.ContainerState {
		if list := b.pod("web").Status.EphemeralContainerStatuses; len(list) > 0 {
			return list[0].State
		}
		return corev1.ContainerState{}
	}
	b.until("debug runs", func() bool { return state().Running != nil })
	if after := b.engine.list(""); !slices.Equal(before, after[:len(before)]) {
		t.Errorf("before %+v\nafter  %+v", before, after)
	}
	id, err := b.m.ContainerID("ns", "web", "debug", false)
	if err != nil {
		t.Fatal(err)
	}
	b.engine.end(id, 0)
	b.until("debug has ended", func() bool { return state().Terminated != nil })
	if !b.events.has("Started Started container debug") {
		t.Errorf("no event of the container in\n%s", b.events)
	}
	b.remove("web")
}
