package pod

import (
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/nodeagent/probe"
)

// line says of a status what matters: phase, conditions that hold, and each container's state.
func statusLine(s corev1.PodStatus) string {
	parts := []string{string(s.Phase)}
	for _, c := range s.Conditions {
		if c.Status == corev1.ConditionTrue && c.Type != corev1.PodScheduled {
			parts = append(parts, string(c.Type))
		}
	}
	for _, list := range [][]corev1.ContainerStatus{s.InitContainerStatuses, s.ContainerStatuses} {
		for _, c := range list {
			parts = append(parts, "| "+containerLine(c))
		}
	}
	return strings.Join(parts, " ")
}

func containerLine(c corev1.ContainerStatus) string {
	text := fmt.Sprintf("%s %d", c.Name, c.RestartCount)
	switch {
	case c.State.Running != nil:
		text += " running"
	case c.State.Terminated != nil:
		text += fmt.Sprintf(" %s(%d)", c.State.Terminated.Reason, c.State.Terminated.ExitCode)
	case c.State.Waiting != nil:
		text += " " + c.State.Waiting.Reason
	}
	if c.Ready {
		text += " ready"
	}
	if t := c.LastTerminationState.Terminated; t != nil {
		text += fmt.Sprintf(" after %s(%d)", t.Reason, t.ExitCode)
	}
	return text
}

func TestStatus(t *testing.T) {
	withInit := func(v *View) { v.Pod.Spec.InitContainers = []corev1.Container{{Name: "one", Image: "img:1"}} }
	withSidecar := func(v *View) {
		v.Pod.Spec.InitContainers = []corev1.Container{{Name: "side", Image: "img:1", RestartPolicy: ptr(corev1.ContainerRestartPolicyAlways)}}
	}
	never := func(v *View) { v.Pod.Spec.RestartPolicy = corev1.RestartPolicyNever }
	all := func(v *View) {
		v.Pod.Spec.InitContainers[0].RestartPolicyRules = []corev1.ContainerRestartRule{{Action: corev1.ContainerRestartRuleActionRestartAllContainers,
			ExitCodes: &corev1.ContainerRestartRuleOnExitCodes{Operator: corev1.ContainerRestartRuleOnExitCodesOpIn, Values: []int32{42}}}}
	}
	deleted := func(v *View) { v.Pod.DeletionTimestamp = &metav1.Time{Time: now} }
	for _, c := range []struct {
		name string
		have []Container
		mod  []func(*View)
		want string
	}{
		{"new", nil, []func(*View){func(v *View) { v.Containers, v.Volumes = nil, false }}, "Pending Initialized | web 0 ContainerCreating"},
		{"sandbox up", nil, nil, "Pending PodReadyToStartContainers Initialized | web 0 ContainerCreating"},
		{"created", []Container{made("web", 0, Created)}, nil, "Pending PodReadyToStartContainers Initialized | web 0 ContainerCreating"},
		{"running", []Container{made("web", 0, Running)}, nil,
			"Running PodReadyToStartContainers Initialized Ready ContainersReady | web 0 running ready"},
		{"postStart runs", []Container{made("web", 0, Running)}, []func(*View){func(v *View) { v.Busy = map[string]Operation{"web": {Verb: Start}} }},
			"Running PodReadyToStartContainers Initialized | web 0 running"},
		{"not ready yet", []Container{made("web", 0, Running)}, []func(*View){func(v *View) { v.Pod.Spec.Containers[0].ReadinessProbe = &corev1.Probe{} }},
			"Running PodReadyToStartContainers Initialized | web 0 running"},
		{"ready by its probe", []Container{made("web", 0, Running)}, []func(*View){func(v *View) {
			v.Pod.Spec.Containers[0].ReadinessProbe = &corev1.Probe{}
			v.Health = map[string]Health{"web0": {Readiness: probe.Success}}
		}}, "Running PodReadyToStartContainers Initialized Ready ContainersReady | web 0 running ready"},
		{"ready before the agent was restarted", []Container{made("web", 0, Running)}, []func(*View){func(v *View) {
			v.Pod.Spec.Containers[0].ReadinessProbe, v.Pod.Spec.Containers[0].StartupProbe = &corev1.Probe{}, &corev1.Probe{}
			v.Pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "web", ContainerID: "docker://web0", Ready: true, Started: ptr(true)}}
		}}, "Running PodReadyToStartContainers Initialized Ready ContainersReady | web 0 running ready"},
		{"readiness gate", []Container{made("web", 0, Running)}, []func(*View){func(v *View) {
			v.Pod.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: "example.com/lb"}}
		}}, "Running PodReadyToStartContainers Initialized ContainersReady | web 0 running ready"},
		{"crash loop", []Container{exited("web", 2, 1)}, []func(*View){func(v *View) { v.BackOff = map[string]BackOff{"web": {time.Minute}} }},
			"Running PodReadyToStartContainers Initialized | web 2 CrashLoopBackOff after Error(1)"},
		{"restarted", []Container{made("web", 1, Running), exited("web", 0, 137)}, nil,
			"Running PodReadyToStartContainers Initialized Ready ContainersReady | web 1 running ready after Error(137)"},
		{"out of memory", []Container{func() Container { c := exited("web", 0, 137); c.OOMKilled = true; return c }()}, nil,
			"Running PodReadyToStartContainers Initialized | web 0 OOMKilled(137)"},
		{"init runs", []Container{made("one", 0, Running)}, []func(*View){withInit},
			"Pending PodReadyToStartContainers | one 0 running | web 0 PodInitializing"},
		{"init done", []Container{exited("one", 0, 0), made("web", 0, Running)}, []func(*View){withInit},
			"Running PodReadyToStartContainers Initialized Ready ContainersReady | one 0 Completed(0) ready | web 0 running ready"},
		{"init failed for good", []Container{exited("one", 0, 1)}, []func(*View){withInit, never},
			"Failed PodReadyToStartContainers | one 0 Error(1) | web 0 PodInitializing"},
		{"sidecar up", []Container{made("side", 0, Running)}, []func(*View){withSidecar},
			"Pending PodReadyToStartContainers Initialized | side 0 running ready | web 0 PodInitializing"},
		{"sidecar outlives the rest", []Container{made("side", 0, Running), exited("web", 0, 0)}, []func(*View){withSidecar, never},
			"Running PodReadyToStartContainers Initialized | side 0 running ready | web 0 Completed(0)"},
		{"succeeded", []Container{exited("web", 0, 0)}, []func(*View){never}, "Succeeded PodReadyToStartContainers Initialized | web 0 Completed(0)"},
		{"failed", []Container{exited("web", 0, 2)}, []func(*View){never}, "Failed PodReadyToStartContainers Initialized | web 0 Error(2)"},
		{"deleted, ended well", []Container{exited("web", 0, 0)}, []func(*View){deleted}, "Succeeded PodReadyToStartContainers Initialized | web 0 Completed(0)"},
		{"deleted, killed", []Container{exited("web", 0, 143)}, []func(*View){deleted}, "Failed PodReadyToStartContainers Initialized | web 0 Error(143)"},
		{"removed behind our back", nil, []func(*View){func(v *View) {
			v.Pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "web", ContainerID: "docker://x", RestartCount: 1,
				State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}}
		}}, "Running PodReadyToStartContainers Initialized | web 1 ContainerCreating after ContainerStatusUnknown(137)"},
		{"removed behind our back, never", nil, []func(*View){never, func(v *View) {
			v.Pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "web", ContainerID: "docker://x",
				State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}}
		}}, "Failed PodReadyToStartContainers Initialized | web 0 ContainerStatusUnknown(137)"},
		{"init removed after it was done", []Container{made("web", 0, Running)}, []func(*View){withInit, func(v *View) {
			v.Pod.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "one", ContainerID: "docker://x", Ready: true,
				State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{Reason: "Completed"}}}}
		}}, "Running PodReadyToStartContainers Initialized Ready ContainersReady | one 0 Completed(0) ready | web 0 running ready"},
		{"held by somebody", []Container{made("web", 0, Paused)}, nil, "Running PodReadyToStartContainers Initialized | web 0 running"},
		{"killed as all start again", []Container{exited("side", 0, 42), exited("web", 0, 137)}, []func(*View){withSidecar, never, all},
			"Running PodReadyToStartContainers Initialized AllContainersRestarting | side 0 Error(42) | web 0 RestartingAllContainers after RestartingAllContainers(137)"},
		{"deleted as all start again", []Container{exited("side", 0, 42), exited("web", 0, 143)}, []func(*View){withSidecar, never, all, deleted},
			"Failed PodReadyToStartContainers Initialized | side 0 Error(42) | web 0 Error(143)"},
		{"pull failed", nil, []func(*View){func(v *View) {
			v.Failures = map[string]Failure{"web": {Reason: errImagePull, At: ago(time.Second), Delay: time.Minute}}
		}}, "Pending PodReadyToStartContainers Initialized | web 0 ErrImagePull"},
		{"too long active", []Container{made("web", 0, Running)}, []func(*View){func(v *View) {
			v.Pod.Spec.ActiveDeadlineSeconds, v.Pod.Status.StartTime = ptr(int64(60)), &metav1.Time{Time: ago(time.Minute)}
		}}, "Failed PodReadyToStartContainers Initialized | web 0 running ready"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := view(c.have...)
			for _, mod := range c.mod {
				mod(v)
			}
			s := v.Status(v.Plan(now), now)
			if got := statusLine(s); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			// Told again later, it is the same: times of transitions are kept.
			v.Pod.Status = s
			later := now.Add(time.Second)
			if again := v.Status(v.Plan(later), later); !equality.Semantic.DeepEqual(s, again) {
				t.Errorf("a second later it is %s, %+v\nbefore %+v", statusLine(again), again, s)
			}
		})
	}
}

func TestQOS(t *testing.T) {
	list := func(cpu, memory string) corev1.ResourceList {
		l := corev1.ResourceList{}
		if cpu != "" {
			l["cpu"] = resource.MustParse(cpu)
		}
		if memory != "" {
			l["memory"] = resource.MustParse(memory)
		}
		return l
	}
	for _, c := range []struct {
		limits, requests corev1.ResourceList
		class            corev1.PodQOSClass
		score            int
	}{
		{nil, nil, corev1.PodQOSBestEffort, 1000},
		{list("1", "1Gi"), nil, corev1.PodQOSGuaranteed, -997},
		{list("1", "1Gi"), list("1", "1Gi"), corev1.PodQOSGuaranteed, -997},
		{list("1", "1Gi"), list("1", "256Mi"), corev1.PodQOSBurstable, 750},
		{nil, list("1", ""), corev1.PodQOSBurstable, 999},
		{list("1", ""), nil, corev1.PodQOSBurstable, 999},
	} {
		p := web()
		p.Spec.Containers[0].Resources = corev1.ResourceRequirements{Limits: c.limits, Requests: c.requests}
		score := oomScoreAdj(p, &p.Spec.Containers[0], resource.MustParse("1Gi"))
		if class := qosClass(p); class != c.class || score != c.score {
			t.Errorf("%v: %s %d, want %s %d", p.Spec.Containers[0].Resources, class, score, c.class, c.score)
		}
	}
}

// TestOOMScores: those without whom the node is none go last, sidecars not before those whom they serve.
func TestOOMScores(t *testing.T) {
	p := web()
	p.Spec.InitContainers = []corev1.Container{{Name: "side", RestartPolicy: ptr(corev1.ContainerRestartPolicyAlways)}}
	p.Spec.Containers[0].Resources.Requests = corev1.ResourceList{"memory": resource.MustParse("256Mi")}
	memory := resource.MustParse("1Gi")
	if score := oomScoreAdj(p, &p.Spec.InitContainers[0], memory); score != 750 {
		t.Errorf("sidecar: %d", score)
	}
	p.Spec.PriorityClassName = "system-node-critical"
	if score := oomScoreAdj(p, &p.Spec.Containers[0], memory); score != -997 {
		t.Errorf("critical: %d", score)
	}
}

func TestReadinessGates(t *testing.T) {
	v := view(made("web", 0, Running))
	v.Pod.Spec.ReadinessGates = []corev1.PodReadinessGate{{ConditionType: "a"}, {ConditionType: "b"}}
	v.Pod.Status.Conditions = []corev1.PodCondition{{Type: "b", Status: corev1.ConditionFalse}}
	for _, c := range v.Status(v.Plan(now), now).Conditions {
		if want := `corresponding condition of pod readiness gate "a" does not exist., the status of pod readiness gate "b" is not "True", but False`; c.Type == corev1.PodReady && c.Message != want {
			t.Errorf("got  %s\nwant %s", c.Message, want)
		}
	}
}

func TestStatusPatch(t *testing.T) {
	p := web()
	p.Status.Conditions = []corev1.PodCondition{{Type: "example.com/lb", Status: "True"}, {Type: "Ready", Status: "False"}}
	s := *p.Status.DeepCopy()
	s.Phase = corev1.PodRunning
	s.Conditions[1].Status = "True"
	patch, err := statusPatch(p, s)
	if err != nil {
		t.Fatal(err)
	}
	got := string(patch)
	for _, want := range []string{`"metadata":{"uid":"u"}`, `"phase":"Running"`, `"type":"Ready"`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	if strings.Contains(got, `"status":"True","type":"example.com/lb"`) {
		t.Errorf("a condition of others is in %s", got)
	}
}

// TestStatusPulling: while its image comes, a container's status says how far it is.
func TestStatusPulling(t *testing.T) {
	v := view()
	v.Pulling = map[string]string{"web": `pulling image "img:1": 45% (22.0 MiB of 49.1 MiB, 3 of 8 layers)`}
	s := v.Status(v.Plan(now), now).ContainerStatuses[0]
	if s.State.Waiting == nil || s.State.Waiting.Reason != "ContainerCreating" || s.State.Waiting.Message != v.Pulling["web"] {
		t.Errorf("%+v", s.State)
	}
}
