package pod

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/nodeagent/probe"
)

// now is when the tables' decisions are made; minutes and seconds before it are when things happened.
var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return now.Add(-d) }

func ptr[T any](v T) *T { return &v }

// web is a pod with one container.
func web() *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "ns", UID: "u", Generation: 1, ResourceVersion: "7"},
		Spec: corev1.PodSpec{
			RestartPolicy: corev1.RestartPolicyAlways, TerminationGracePeriodSeconds: ptr(int64(5)),
			Containers: []corev1.Container{{Name: "web", Image: "img:1"}},
		},
	}
}

func sandboxOf(attempt int, state State) Container {
	created := ago(time.Hour).Add(time.Duration(attempt) * time.Minute)
	s := Container{ID: "s" + string(rune('0'+attempt)), Sandbox: true, Attempt: attempt, State: state, Created: created, IP: "10.0.0.9"}
	if state != Created {
		s.Started = created
	}
	return s
}

// made is a container in the first sandbox.
func made(name string, attempt int, state State) Container {
	c := Container{ID: name + string(rune('0'+attempt)), Name: name, Attempt: attempt, State: state, SandboxID: "s0",
		Hash: Hash(&corev1.Container{Name: name, Image: "img:1"}), Created: ago(50 * time.Minute), ImageID: "sha256:1",
		Share: ShareOf(corev1.ResourceRequirements{})}
	if state != Created {
		c.Started = ago(30 * time.Second)
	}
	if state == Exited {
		c.Finished = ago(5 * time.Second)
	}
	return c
}

func exited(name string, attempt, code int) Container {
	c := made(name, attempt, Exited)
	c.ExitCode = code
	return c
}

// view is the pod with its volumes and sandbox up, and these containers.
func view(containers ...Container) *View {
	return &View{Pod: web(), Volumes: true, HostIP: "192.0.2.1",
		Containers: append([]Container{sandboxOf(0, Running)}, containers...)}
}

func heldTo(c Container, s Share) Container {
	c.Share = s
	return c
}

// TestPlan: what is there, what happened to it, and what is to be done.
func TestPlan(t *testing.T) {
	withInit := func(v *View) {
		v.Pod.Spec.InitContainers = []corev1.Container{{Name: "one", Image: "img:1"}, {Name: "two", Image: "img:1"}}
	}
	withSidecar := func(v *View) {
		v.Pod.Spec.InitContainers = []corev1.Container{{Name: "side", Image: "img:1", RestartPolicy: ptr(corev1.ContainerRestartPolicyAlways)}}
	}
	hooked := func(v *View) {
		v.Pod.Spec.InitContainers[0].Lifecycle = &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{}}
	}
	never := func(v *View) { v.Pod.Spec.RestartPolicy = corev1.RestartPolicyNever }
	onFailure := func(v *View) { v.Pod.Spec.RestartPolicy = corev1.RestartPolicyOnFailure }
	all := func(v *View) {
		v.Pod.Spec.InitContainers[0].RestartPolicyRules = []corev1.ContainerRestartRule{{Action: corev1.ContainerRestartRuleActionRestartAllContainers,
			ExitCodes: &corev1.ContainerRestartRuleOnExitCodes{Operator: corev1.ContainerRestartRuleOnExitCodesOpIn, Values: []int32{42}}}}
	}
	whole := func(v *View) {
		v.Pod.Spec.Resources = &corev1.ResourceRequirements{Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("64Mi")}}
	}
	withLog := func(v *View) {
		v.Pod.Spec.Containers = append(v.Pod.Spec.Containers, corev1.Container{Name: "log", Image: "img:1"})
	}
	// ran is what the API remembers of a container: that it runs, or the code with which it ended five seconds ago.
	ran := func(name string, restarts int32, code *int32) func(*View) {
		s := corev1.ContainerStatus{Name: name, ContainerID: "docker://x", RestartCount: restarts}
		if code != nil {
			s.State.Terminated = &corev1.ContainerStateTerminated{ExitCode: *code, StartedAt: metav1.NewTime(ago(30 * time.Second)), FinishedAt: metav1.NewTime(ago(5 * time.Second))}
		} else {
			s.State.Running = &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(ago(30 * time.Second))}
		}
		return func(v *View) { v.Pod.Status.ContainerStatuses = []corev1.ContainerStatus{s} }
	}
	backOff := func(v *View) { v.BackOff = map[string]BackOff{"web": {10 * time.Second}} }
	endedFor := func(d time.Duration) func(*View) {
		return func(v *View) { v.Ended = map[string]time.Time{"web0": ago(d)} }
	}
	set := func(c Container, by time.Duration) Container {
		c.Started, c.Finished = c.Started.Add(by), c.Finished.Add(by)
		return c
	}
	active := func(seconds int64, wall, steady time.Duration) func(*View) {
		return func(v *View) {
			v.Pod.Spec.ActiveDeadlineSeconds, v.Pod.Status.StartTime = &seconds, &metav1.Time{Time: ago(wall)}
			v.Begun = anchor{ago(wall), ago(steady)}
		}
	}
	reported := func(v *View) { v.Reported = true }
	deleted := func(v *View) {
		v.Pod.DeletionTimestamp, v.Pod.DeletionGracePeriodSeconds = &metav1.Time{Time: now}, ptr(int64(3))
	}
	gone := func(v *View) { v.Gone = true }
	bare := func(v *View) { v.Volumes, v.Containers = false, nil }
	busy := func(key string, o Operation) func(*View) {
		return func(v *View) { v.Busy = map[string]Operation{key: o} }
	}
	making := func(v *View) {
		busy(sandboxKey, Operation{Verb: RunSandbox})(v)
		v.Making, v.Containers[0].State = true, Created
	}
	for _, c := range []struct {
		name string
		have []Container
		mod  []func(*View)
		want string
	}{
		// The way up.
		{"new", nil, []func(*View){bare}, "prepare volumes; run sandbox 0"},
		{"new, volumes under way", nil, []func(*View){bare, busy(volumesKey, Operation{Verb: PrepareVolumes})}, "run sandbox 0"},
		{"the sandbox starts", nil, []func(*View){making}, "start web 0"},
		{"the sandbox starts, volumes not ready", nil, []func(*View){making, func(v *View) { v.Volumes = false }}, "prepare volumes"},
		{"the sandbox starts, made meanwhile", []Container{made("web", 0, Created)}, []func(*View){making}, ""},
		{"the sandbox starts, with init containers", nil, []func(*View){withInit, making}, "start one 0"},
		{"new, with resources of its own", nil, []func(*View){bare, whole}, "prepare volumes; hold pod"},
		{"new, held to its resources", nil, []func(*View){bare, whole, func(v *View) { v.Group = ShareOf(*v.Pod.Spec.Resources) }}, "prepare volumes; run sandbox 0"},
		{"resources of its own changed", []Container{heldTo(made("web", 0, Running), Share{Weight: minWeight, Memory: 64 << 20})}, []func(*View){whole, func(v *View) { v.Group = Share{Weight: 2} }}, "hold pod"},
		{"its limit is its containers'", []Container{made("web", 0, Running)}, []func(*View){whole, func(v *View) { v.Group = ShareOf(*v.Pod.Spec.Resources) }}, "resize web"},
		{"sandbox up, volumes not", nil, []func(*View){func(v *View) { v.Volumes = false }}, "prepare volumes"},
		{"ready to start", nil, nil, "start web 0"},
		{"starting", nil, []func(*View){busy("web", Operation{Verb: Start})}, ""},
		{"agent died between create and start", []Container{made("web", 0, Created)}, nil, "start web 0 (created before)"},
		{"created for another image", []Container{func() Container { c := made("web", 0, Created); c.Hash = "x"; return c }()}, nil, "remove web0"},
		{"runs", []Container{made("web", 0, Running)}, nil, ""},
		{"volume content changed", []Container{made("web", 0, Running)}, []func(*View){func(v *View) { v.Stale = true }}, "prepare volumes"},
		{"several at once", nil, []func(*View){func(v *View) {
			v.Pod.Spec.Containers = append(v.Pod.Spec.Containers, corev1.Container{Name: "log", Image: "img:1"})
		}}, "start web 0; start log 0"},
		{"removed behind our back", nil, []func(*View){func(v *View) {
			v.Pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "web", ContainerID: "docker://x", RestartCount: 4}}
		}}, "start web 5"},
		{"removed before it ran", nil, []func(*View){func(v *View) {
			v.Pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "web", RestartCount: 4}}
		}}, "start web 4"},
		{"removed as it ran", nil, []func(*View){ran("web", 3, nil)}, "start web 4"},
		{"removed as it ran, never", nil, []func(*View){never, ran("web", 0, nil)}, "remove s0; free volumes"},
		{"removed after its end", nil, []func(*View){ran("web", 3, ptr(int32(1)))}, "start web 4"},
		{"removed after its end, in its back-off", nil, []func(*View){ran("web", 3, ptr(int32(1))), func(v *View) {
			v.BackOff = map[string]BackOff{"web": {10 * time.Second}}
		}}, ""},
		{"removed after its end, others run on", []Container{made("log", 0, Running)}, []func(*View){never, withLog, ran("web", 0, ptr(int32(1)))}, ""},
		{"removed after it ended well, others run on", []Container{made("log", 0, Running)}, []func(*View){onFailure, withLog, ran("web", 0, ptr(int32(0)))}, ""},
		{"removed with its init containers", nil, []func(*View){withInit, ran("web", 0, ptr(int32(1)))}, "start web 1"},
		{"an init container removed as it ran", nil, []func(*View){withInit, never, func(v *View) {
			ran("one", 0, nil)(v)
			v.Pod.Status.InitContainerStatuses, v.Pod.Status.ContainerStatuses = v.Pod.Status.ContainerStatuses, nil
		}}, "start one 1"},
		{"held by somebody", []Container{made("web", 0, Paused)}, nil, ""},
		{"its sandbox held by somebody", []Container{made("web", 0, Running)}, []func(*View){func(v *View) { v.Containers[0].State = Paused }}, ""},
		{"held, and deleted", []Container{made("web", 0, Paused)}, []func(*View){deleted}, "kill web within 3s: Stopping container web"},
		{"one of before runs again", []Container{made("web", 1, Running), made("web", 0, Running)}, nil,
			"kill web within 5s: Container web is of an attempt before, will be stopped"},
		{"refused", nil, []func(*View){bare, func(v *View) { v.Refused = "no" }}, ""},

		// Init containers and sidecars.
		{"first init", nil, []func(*View){withInit}, "start one 0"},
		{"init runs", []Container{made("one", 0, Running)}, []func(*View){withInit}, ""},
		{"second init", []Container{exited("one", 0, 0)}, []func(*View){withInit}, "start two 0"},
		{"init done", []Container{exited("one", 0, 0), exited("two", 0, 0)}, []func(*View){withInit}, "start web 0"},
		{"init failed, again", []Container{exited("one", 0, 1)}, []func(*View){withInit}, "start one 1"},
		{"init failed for good", []Container{exited("one", 0, 1)}, []func(*View){withInit, never}, "remove s0; free volumes"},
		{"init removed once started", []Container{made("web", 0, Running)}, []func(*View){withInit}, ""},
		{"sidecar first", nil, []func(*View){withSidecar}, "start side 0"},
		{"sidecar up", []Container{made("side", 0, Running)}, []func(*View){withSidecar}, "start web 0"},
		{"sidecar not past its startup probe", []Container{made("side", 0, Running)}, []func(*View){withSidecar, func(v *View) {
			v.Pod.Spec.InitContainers[0].StartupProbe = &corev1.Probe{}
		}}, ""},
		{"sidecar died", []Container{exited("side", 0, 0), made("web", 0, Running)}, []func(*View){withSidecar}, "start side 1"},
		{"sidecar after the end", []Container{made("side", 0, Running), exited("web", 0, 0)}, []func(*View){withSidecar, never},
			"kill side within 5s: Stopping container side"},

		// Restarts.
		{"died", []Container{exited("web", 0, 1)}, nil, "start web 1"},
		{"ended well", []Container{exited("web", 0, 0)}, nil, "start web 1"},
		{"crash loop", []Container{exited("web", 0, 1)}, []func(*View){func(v *View) { v.BackOff = map[string]BackOff{"web": {10 * time.Second}} }}, ""},
		{"crash loop over", []Container{exited("web", 0, 1)}, []func(*View){func(v *View) { v.BackOff = map[string]BackOff{"web": {5 * time.Second}} }}, "start web 1"},
		{"crash loop, the clock was set back since", []Container{set(exited("web", 0, 1), 3*time.Hour)}, []func(*View){backOff, endedFor(11 * time.Second)}, "start web 1"},
		{"crash loop, the clock was set forwards since", []Container{set(exited("web", 0, 1), -3*time.Hour)}, []func(*View){backOff, endedFor(9 * time.Second)}, ""},
		{"died, volumes are looked at first", []Container{exited("web", 0, 1)}, []func(*View){func(v *View) { v.Stale = true }}, "prepare volumes"},
		{"died, volumes cannot be brought up to date", []Container{exited("web", 0, 1)}, []func(*View){func(v *View) {
			v.Stale, v.Failures = true, map[string]Failure{volumesKey: {At: ago(time.Second), Delay: time.Minute}}
		}}, "start web 1"},
		{"older dead ones go", []Container{made("web", 3, Running), exited("web", 2, 1), exited("web", 1, 1)}, nil, "remove web1"},
		{"failed to start just now", nil, []func(*View){func(v *View) {
			v.Failures = map[string]Failure{"web": {Reason: createError, At: ago(time.Second), Delay: 2 * time.Second}}
		}}, ""},
		{"failed to start a while ago", nil, []func(*View){func(v *View) {
			v.Failures = map[string]Failure{"web": {Reason: createError, At: ago(3 * time.Second), Delay: 2 * time.Second}}
		}}, "start web 0"},
		{"on failure, failed", []Container{exited("web", 0, 1)}, []func(*View){onFailure}, "start web 1"},
		{"on failure, ended well", []Container{exited("web", 0, 0)}, []func(*View){onFailure}, "remove s0; free volumes"},
		{"never", []Container{exited("web", 0, 1)}, []func(*View){never}, "remove s0; free volumes"},
		{"own rule", []Container{exited("web", 0, 42)}, []func(*View){never, func(v *View) {
			v.Pod.Spec.Containers[0].RestartPolicyRules = []corev1.ContainerRestartRule{{Action: corev1.ContainerRestartRuleActionRestart,
				ExitCodes: &corev1.ContainerRestartRuleOnExitCodes{Operator: corev1.ContainerRestartRuleOnExitCodesOpIn, Values: []int32{42}}}}
		}}, "start web 1"},
		{"for all: kill the others", []Container{exited("side", 0, 42), made("web", 0, Running)}, []func(*View){withSidecar, never, all},
			"kill web within 2s: Stopping container web"},
		{"for all: break off a start", []Container{exited("side", 0, 42)}, []func(*View){withSidecar, never, all, busy("web", Operation{Verb: Start})}, "cancel web"},
		{"for all: killed, not told", []Container{exited("side", 0, 42), exited("web", 0, 137)}, []func(*View){withSidecar, never, all}, ""},
		{"for all: remove the others", []Container{exited("side", 0, 42), exited("web", 0, 137)}, []func(*View){withSidecar, never, all, reported}, "remove web0"},
		{"for all: remove the cause", []Container{exited("side", 0, 42)}, []func(*View){withSidecar, never, all, reported}, "remove side0"},
		{"for all: from the first on", nil, []func(*View){withSidecar, never, all, func(v *View) {
			v.Pod.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "side", ContainerID: "docker://side0", RestartCount: 2}}
		}}, "start side 3"},
		{"for all: but all had ended before", []Container{exited("side", 0, 42), func() Container {
			c := exited("web", 0, 0)
			c.Finished = ago(6 * time.Second)
			return c
		}()}, []func(*View){withSidecar, never, all}, "remove s0; free volumes"},
		{"for all: another code", []Container{exited("side", 0, 1), made("web", 0, Running)}, []func(*View){withSidecar, never, all}, "start side 1"},
		{"finished and forgotten by the engine", nil, []func(*View){never, func(v *View) {
			v.Pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "web", State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}}}}
		}}, "remove s0; free volumes"},
		{"image changed", []Container{func() Container { c := made("web", 0, Running); c.Hash = "x"; return c }()}, nil,
			"kill web within 5s: Container web definition changed, will be restarted"},
		{"liveness", []Container{made("web", 0, Running)}, []func(*View){func(v *View) { v.Health = map[string]Health{"web0": {Liveness: probe.Failure}} }},
			"kill web within 5s: Container web failed liveness probe, will be restarted"},
		{"startup", []Container{made("web", 0, Running)}, []func(*View){func(v *View) {
			v.Health = map[string]Health{"web0": {Startup: probe.Failure}}
			v.Pod.Spec.Containers[0].StartupProbe = &corev1.Probe{TerminationGracePeriodSeconds: ptr(int64(9))}
		}}, "kill web within 9s: Container web failed startup probe, will be restarted"},

		// A lost sandbox.
		{"sandbox died, container runs on", []Container{made("web", 0, Running)}, []func(*View){func(v *View) { v.Containers[0].State = Exited }},
			"kill web within 5s: " + sandboxChanged},
		{"sandbox died, container too", []Container{exited("web", 0, 137)}, []func(*View){func(v *View) { v.Containers[0].State = Exited }}, "run sandbox 1"},
		{"sandbox was never started", nil, []func(*View){func(v *View) { v.Containers[0] = sandboxOf(0, Created) }}, "run sandbox 0"},
		{"sandbox could not be started", nil, []func(*View){func(v *View) { v.Containers[0].State, v.Containers[0].Started = Exited, time.Time{} }}, "run sandbox 0"},
		{"new sandbox, old one and its container", []Container{sandboxOf(1, Running), exited("web", 0, 137)},
			[]func(*View){func(v *View) { v.Containers[0].State = Exited }}, "remove s0; start web 1"},
		{"new sandbox: init again", []Container{sandboxOf(1, Running), exited("one", 0, 0), exited("two", 0, 0)},
			[]func(*View){withInit, func(v *View) { v.Containers = v.Containers[1:] }}, "start one 1"},
		{"new sandbox, never", []Container{sandboxOf(1, Running), exited("one", 0, 0)},
			[]func(*View){withInit, never, func(v *View) { v.Containers = v.Containers[1:] }}, "start one 1"},

		// The way down.
		{"deleted", []Container{made("web", 0, Running)}, []func(*View){deleted}, "kill web within 3s: Stopping container web"},
		{"deleted while starting", []Container{}, []func(*View){deleted, busy("web", Operation{Verb: Start})}, "cancel web"},
		{"deleted, stopping", []Container{made("web", 0, Running)}, []func(*View){deleted, busy("web", Operation{Verb: Kill, Until: now.Add(3 * time.Second)})}, ""},
		{"deleted with less grace", []Container{made("web", 0, Running)}, []func(*View){deleted, busy("web", Operation{Verb: Kill, Until: now.Add(time.Minute)})}, "cancel web"},
		{"deleted, sidecar last", []Container{made("side", 0, Running), made("web", 0, Running)}, []func(*View){withSidecar, deleted},
			"kill web within 3s: Stopping container web"},
		{"deleted, sidecar's hook at once", []Container{made("side", 0, Running), made("web", 0, Running)}, []func(*View){withSidecar, hooked, deleted},
			"kill web within 3s: Stopping container web; run the preStop hook of side"},
		{"deleted, sidecar's hook has run", []Container{made("side", 0, Running), made("web", 0, Running)}, []func(*View){withSidecar, hooked, deleted,
			func(v *View) { v.Hooked = map[string]bool{"side0": true} }}, "kill web within 3s: Stopping container web"},
		{"deleted, sidecar has what is left of the grace", []Container{made("side", 0, Running), exited("web", 0, 0)}, []func(*View){withSidecar, deleted, func(v *View) {
			v.Pod.DeletionGracePeriodSeconds, v.Pod.DeletionTimestamp = ptr(int64(30)), &metav1.Time{Time: now.Add(7 * time.Second)}
		}}, "kill side within 7s: Stopping container side"},
		{"deleted, two sidecars", []Container{made("side", 0, Running), made("last", 0, Running)}, []func(*View){withSidecar, hooked, deleted, func(v *View) {
			v.Pod.Spec.InitContainers = append(v.Pod.Spec.InitContainers, corev1.Container{Name: "last", Image: "img:1", RestartPolicy: ptr(corev1.ContainerRestartPolicyAlways)})
		}}, "kill last within 2s: Stopping container last; run the preStop hook of side"},
		{"deleted, stopped, not told", []Container{exited("web", 0, 0)}, []func(*View){deleted}, ""},
		{"deleted, stopped, told", []Container{exited("web", 0, 0)}, []func(*View){deleted, func(v *View) { v.Reported = true }}, "remove s0; remove web0"},
		{"deleted, removed", nil, []func(*View){deleted, func(v *View) { v.Containers = nil }}, "tear down"},
		{"deleted, clean", nil, []func(*View){deleted, func(v *View) { v.Containers, v.Clean = nil, true }}, "delete pod"},
		{"deleted, waits for finalizers", nil, []func(*View){deleted, func(v *View) { v.Containers, v.Clean, v.Deleted = nil, true, true }}, ""},
		{"deleted, a sandbox listed twice", []Container{sandboxOf(0, Running)}, []func(*View){deleted, func(v *View) { v.Reported = true }}, "remove s0"},
		{"gone", []Container{made("web", 0, Running)}, []func(*View){gone}, "kill web within 2s: Stopping container web"},
		{"gone while stopping", []Container{made("web", 0, Running)}, []func(*View){gone, deleted, busy("web", Operation{Verb: Kill, Until: now.Add(time.Minute)})}, "cancel web"},
		{"gone, stopped", []Container{exited("web", 0, 0)}, []func(*View){gone}, "remove s0; remove web0"},
		{"gone, clean", nil, []func(*View){gone, func(v *View) { v.Containers, v.Clean = nil, true }}, "done"},
		{"too long active", []Container{made("web", 0, Running)}, []func(*View){func(v *View) {
			v.Pod.Spec.ActiveDeadlineSeconds, v.Pod.Status.StartTime = ptr(int64(60)), &metav1.Time{Time: ago(time.Minute)}
		}}, "kill web within 5s: Stopping container web"},
		{"active for a minute, the clock was set forwards since", []Container{made("web", 0, Running)}, []func(*View){active(100, 3*time.Hour, time.Minute)}, ""},
		{"too long active, the clock was set back since", []Container{made("web", 0, Running)}, []func(*View){active(100, -3*time.Hour, 2*time.Minute)},
			"kill web within 5s: Stopping container web"},
		{"terminal in the API", []Container{exited("web", 0, 1)}, []func(*View){func(v *View) { v.Pod.Status.Phase = corev1.PodFailed }}, "remove s0; free volumes"},
		{"terminal, volumes free", []Container{exited("web", 0, 1)}, []func(*View){never, func(v *View) { v.Freed = true }}, "remove s0"},

		// Ended by the node.
		{"ended by the node", []Container{made("web", 0, Running)}, []func(*View){func(v *View) { v.End = &End{Grace: time.Second} }},
			"kill web within 1s: Stopping container web"},
		{"ended, with its own grace", []Container{made("web", 0, Running)}, []func(*View){func(v *View) { v.End = &End{} }},
			"kill web within 5s: Stopping container web"},
		{"ended, while it starts", nil, []func(*View){busy("web", Operation{Verb: Start}), func(v *View) { v.End = &End{} }}, "cancel web"},
		{"ended, stopped", []Container{exited("web", 0, 0)}, []func(*View){func(v *View) { v.End = &End{} }}, "remove s0; free volumes"},
		{"ended, freed, its containers are in the way", []Container{exited("web", 0, 0)},
			[]func(*View){func(v *View) { v.End, v.Freed, v.Purge, v.Reported = &End{}, true, true, true }}, "remove s0; remove web0"},
		{"in the way, but its end is not told", []Container{exited("web", 0, 0)},
			[]func(*View){func(v *View) { v.End, v.Freed, v.Purge = &End{}, true, true }}, "remove s0"},
		{"ended, and deleted sooner", []Container{made("web", 0, Running)}, []func(*View){deleted, func(v *View) { v.End = &End{Grace: 4 * time.Second} }},
			"kill web within 3s: Stopping container web"},
		{"held until others have made room", nil, []func(*View){bare, busy(roomKey, Operation{Verb: makeRoom})}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := view(c.have...)
			for _, mod := range c.mod {
				mod(v)
			}
			if got := v.Plan(now).String(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestPlanWakes: a plan that waits for the clock says until when, and what the containers wait for.
func TestPlanWakes(t *testing.T) {
	v := view(exited("web", 2, 1))
	v.BackOff = map[string]BackOff{"web": {20 * time.Second}}
	p := v.Plan(now)
	if want := now.Add(15 * time.Second); !p.Wake.Equal(want) {
		t.Errorf("wakes at %s, want %s", p.Wake, want)
	}
	if got, want := p.Waiting["web"], (Waiting{Reason: "CrashLoopBackOff", Message: "back-off 20s restarting failed container=web pod=web_ns(u)"}); got != want {
		t.Errorf("waits for %v, want %v", got, want)
	}

	v = view()
	v.Failures = map[string]Failure{"web": {Reason: errImagePull, Message: "not found", At: ago(time.Second), Delay: 10 * time.Second}}
	if p := v.Plan(now); p.Waiting["web"] != (Waiting{Reason: errImagePull, Message: "not found"}) || !p.Wake.Equal(now.Add(2*time.Second)) {
		t.Errorf("just failed: %v, wakes at %s", p.Waiting, p.Wake)
	}
	p = v.Plan(now.Add(4 * time.Second))
	if want := (Waiting{Reason: imagePullBackOff, Message: `Back-off pulling image "img:1": ErrImagePull: not found`}); p.Waiting["web"] != want {
		t.Errorf("later: %v", p.Waiting)
	}
}

func TestBackOff(t *testing.T) {
	short := Container{Started: ago(time.Minute), Finished: now}
	long := Container{Started: ago(10 * time.Minute), Finished: now}
	var b BackOff
	var waits []time.Duration
	for range 8 {
		waits = append(waits, b.Until(short, short.Finished).Sub(now))
		b = b.Next(short)
	}
	want := []time.Duration{0, 10, 20, 40, 80, 160, 300, 300}
	for i := range want {
		if waits[i] != want[i]*time.Second {
			t.Errorf("restart %d waits %s, want %ds", i, waits[i], want[i])
		}
	}
	if wait := b.Until(long, long.Finished).Sub(now); wait != 0 {
		t.Errorf("after a long run it waits %s", wait)
	}
	if b.Next(long).Delay != backOffInitial {
		t.Errorf("after a long run the back-off goes on at %s", b.Next(long).Delay)
	}
}
