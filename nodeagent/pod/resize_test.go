package pod

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

func amounts(cpu, memory string) corev1.ResourceList {
	return corev1.ResourceList{"cpu": resource.MustParse(cpu), "memory": resource.MustParse(memory)}
}

// holding is a container that the engine holds to amounts.
func holding(c Container, r corev1.ResourceRequirements) Container {
	c.Share = ShareOf(r)
	return c
}

func TestPlanResize(t *testing.T) {
	small := corev1.ResourceRequirements{Requests: amounts("100m", "64Mi"), Limits: amounts("200m", "64Mi")}
	large := corev1.ResourceRequirements{Requests: amounts("300m", "64Mi"), Limits: amounts("500m", "64Mi")}
	wants := func(r corev1.ResourceRequirements) func(*View) {
		return func(v *View) { v.Pod.Spec.Containers[0].Resources = r }
	}
	told := func(v *View) {
		v.Pod.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "web", ContainerID: "docker://web0", AllocatedResources: small.Requests, Resources: &small}}
	}
	byRestart := func(name corev1.ResourceName) func(*View) {
		return func(v *View) {
			v.Pod.Spec.Containers[0].ResizePolicy = []corev1.ContainerResizePolicy{{ResourceName: name, RestartPolicy: corev1.RestartContainer}}
		}
	}
	onFailure := func(v *View) { v.Pod.Spec.RestartPolicy = corev1.RestartPolicyOnFailure }
	deferred := func(v *View) { v.Pending = Waiting{Reason: resizeDeferred, Message: "no room"} }
	failed := func(v *View) {
		v.Failures = map[string]Failure{"/resize/web0": {Message: "device busy", At: now, Delay: time.Second}}
	}
	runs, ended := holding(made("web", 0, Running), small), holding(exited("web", 0, 0), small)
	for _, c := range []struct {
		name      string
		have      Container
		mod       []func(*View)
		want      string
		condition string // type and reason; "" for none
		limit     string // of processors, as the status has it
	}{
		{"as it is", runs, []func(*View){wants(small)}, "", "", "200m"},
		{"more", runs, []func(*View){wants(large)}, "resize web", "PodResizeInProgress", "200m"},
		{"done", holding(runs, large), []func(*View){wants(large), told}, "", "", "500m"},
		{"taken, and not shown by the engine", runs, []func(*View){wants(large), func(v *View) { v.Resized = map[string]Share{"web0": ShareOf(large)} }}, "", "", "500m"},
		{"no room", runs, []func(*View){wants(large), told, deferred}, "", "PodResizePending Deferred", "200m"},
		{"failed", runs, []func(*View){wants(large), failed}, "", "PodResizeInProgress Error", "200m"},
		{"by a restart", runs, []func(*View){wants(large), byRestart("cpu")}, "kill web within 5s: Container web resize requires restart", "PodResizeInProgress", "200m"},
		{"memory by a restart", runs, []func(*View){wants(large), byRestart("memory")}, "resize web", "PodResizeInProgress", "200m"},
		{"ended for it", ended, []func(*View){wants(large), byRestart("cpu"), onFailure, func(v *View) { v.Renewed = map[string]bool{"web0": true} }}, "start web 1", "", "500m"},
		{"ended by itself before it", ended, []func(*View){wants(large), byRestart("cpu"), onFailure}, "remove s0; free volumes", "", "500m"},
		{"ended by itself", ended, []func(*View){wants(small), byRestart("cpu"), onFailure}, "remove s0; free volumes", "", "200m"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := view(c.have)
			for _, mod := range c.mod {
				mod(v)
			}
			p := v.Plan(now)
			if got := p.String(); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			s := v.Status(p, now)
			if got := resizeLine(s); got != c.condition {
				t.Errorf("condition %q, want %q", got, c.condition)
			}
			if got := s.ContainerStatuses[0].Resources.Limits.Cpu().String(); got != c.limit {
				t.Errorf("limit %s, want %s", got, c.limit)
			}
		})
	}
}

func resizeLine(s corev1.PodStatus) (line string) {
	for _, c := range s.Conditions {
		if c.Type != corev1.PodResizePending && c.Type != corev1.PodResizeInProgress {
			continue
		}
		line += string(c.Type)
		if c.Reason != "" {
			line += " " + c.Reason
		}
	}
	return line
}

func TestNoRoom(t *testing.T) {
	node, others := amounts("2", "1Gi"), amounts("1", "512Mi")
	for _, c := range []struct {
		name          string
		wanted, given corev1.ResourceList
		want          string
	}{
		{"fits", amounts("1", "512Mi"), amounts("500m", "64Mi"), ""},
		{"less", amounts("1500m", "64Mi"), amounts("1600m", "64Mi"), ""},
		{"later", amounts("1500m", "64Mi"), amounts("1", "64Mi"), "Deferred"},
		{"never", amounts("1500m", "2Gi"), amounts("1", "64Mi"), "Infeasible"},
	} {
		if got := noRoom(c.wanted, c.given, others, node); got.Reason != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// A resize that finds no room waits until another pod has gone; no container is restarted.
func TestResizeWaitsForRoom(t *testing.T) {
	asks := func(name, cpu string) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			p.Name, p.UID = name, types.UID(name)
			p.Spec.Containers[0].Resources.Requests = corev1.ResourceList{"cpu": resource.MustParse(cpu)}
		}
	}
	b := newBed(t, newEngine("img:1"), bound(asks("one", "500m")), bound(asks("two", "1")))
	b.until("ready", func() bool { return b.ready("one")() && b.ready("two")() })
	generation := int64(1)
	resize := func(cpu string) {
		pod := b.pod("one")
		generation++
		pod.Generation = generation
		pod.Spec.Containers[0].Resources.Requests["cpu"] = resource.MustParse(cpu)
		if _, err := b.client.CoreV1().Pods("ns").Update(t.Context(), pod, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	given := func() string { return b.pod("one").Status.ContainerStatuses[0].AllocatedResources.Cpu().String() }
	resize("1")
	b.until("resized", func() bool { return given() == "1" && resizeLine(b.pod("one").Status) == "" })
	resize("1500m")
	b.until("deferred", func() bool { return resizeLine(b.pod("one").Status) == "PodResizePending Deferred" && given() == "1" })
	b.remove("two")
	b.until("resized once there is room", func() bool { return given() == "1500m" && resizeLine(b.pod("one").Status) == "" })
	resize("3")
	b.until("infeasible", func() bool { return resizeLine(b.pod("one").Status) == "PodResizePending Infeasible" })
	for _, event := range []string{
		`ResizeStarted Pod resize started: {"containers":[{"name":"web","resources":{"requests":{"cpu":"1"}}}],"generation":2}`,
		`ResizeCompleted Pod resize completed: {"containers":[{"name":"web","resources":{"requests":{"cpu":"1"}}}],"generation":2}`,
		`ResizeDeferred Pod resize Deferred: {"containers":[{"name":"web","resources":{"requests":{"cpu":"1500m"}}}],"generation":3,"error":"Node didn't have enough resource: cpu, requested: 1500, used: 1000, capacity: 2000"}`,
		`ResizeStarted Pod resize started: {"containers":[{"name":"web","resources":{"requests":{"cpu":"1500m"}}}],"generation":3}`,
		`ResizeInfeasible Pod resize Infeasible: `,
	} {
		if !b.events.has(event) {
			t.Errorf("no event %s in\n%s", event, b.events)
		}
	}
	if n := b.pod("one").Status.ContainerStatuses[0].RestartCount; n != 0 {
		t.Errorf("restarted %d times", n)
	}
}

// TestPodResources: a pod with resources of its own is held to them from before its sandbox on, and to others once they
// are asked for; nothing of that is left when it goes.
func TestPodResources(t *testing.T) {
	e := newEngine("img:1")
	e.host.PodGroups = true
	b := newBed(t, e, bound(func(p *corev1.Pod) {
		p.Spec.Resources = &corev1.ResourceRequirements{Requests: amounts("500m", "64Mi"), Limits: amounts("1", "128Mi")}
	}))
	held := func() Share {
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.groups["u"]
	}
	b.until("ready", b.ready("web"))
	if got, want := held(), (Share{Weight: 512, Quota: 100_000, Memory: 128 << 20}); got != want {
		t.Errorf("held to %+v", got)
	}
	for _, c := range e.list("u") {
		if !c.Sandbox && (c.Share.Memory != 128<<20 || c.Share.Quota != 100_000 || c.Share.Weight != minWeight) {
			t.Errorf("the container is held to %+v", c.Share)
		}
	}
	resize := func(cpu string) {
		pod := b.pod("web")
		pod.Generation++
		pod.Spec.Resources.Requests["cpu"] = resource.MustParse(cpu)
		if _, err := b.client.CoreV1().Pods("ns").Update(t.Context(), pod, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	resize("750m")
	b.until("resized", func() bool {
		s := b.pod("web").Status
		return held().Weight == 768 && s.Resources != nil && s.AllocatedResources.Cpu().String() == "750m"
	})
	resize("9")
	b.until("infeasible", func() bool { return resizeLine(b.pod("web").Status) == "PodResizePending Infeasible" })
	if got := held().Weight; got != 768 {
		t.Errorf("held to %d though there is no room", got)
	}
	b.remove("web")
	b.until("released", func() bool { return held() == Share{} })
}
