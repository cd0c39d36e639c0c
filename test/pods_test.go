package test

import (
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// same compares the lines that a container printed with those that it should have. Standard output and error come
// side by side, so their order is not the same each time.
func same(t *testing.T, what, got string, want ...string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(got, "\n"), "\n")
	slices.Sort(lines)
	slices.Sort(want)
	if !slices.Equal(lines, want) {
		t.Errorf("%s:\n%s\nwant, in any order:\n%s", what, got, strings.Join(want, "\n"))
	}
}

// never makes a pod's containers run once.
func never(p *corev1.Pod) { p.Spec.RestartPolicy = corev1.RestartPolicyNever }

// initially adds an init container that does the steps.
func (s space) initially(t *testing.T, name, steps string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		c := s.tool(t, "", steps).Spec.Containers[0]
		c.Name, c.VolumeMounts = name, p.Spec.Containers[0].VolumeMounts
		p.Spec.InitContainers = append(p.Spec.InitContainers, c)
	}
}

// mount gives every container of a pod a volume at /NAME.
func mount(name string, source corev1.VolumeSource) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.Volumes = append(p.Spec.Volumes, corev1.Volume{Name: name, VolumeSource: source})
		for i := range p.Spec.Containers {
			c := &p.Spec.Containers[i]
			c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: name, MountPath: "/" + name})
		}
	}
}

var emptyDir = corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}

func TestInitContainers(t *testing.T) {
	t.Parallel()
	s := sharedSpace(t)
	t.Run("run in order", func(t *testing.T) {
		p := s.finished(t, s.tool(t, "order", "cat /data/log", never, mount("data", emptyDir),
			s.initially(t, "first", "write /data/log first"), s.initially(t, "second", "write /data/log second")))
		if p.Status.Phase != corev1.PodSucceeded {
			t.Errorf("the pod is %s", p.Status.Phase)
		}
		same(t, "the log", s.log(t, "order", "c"), "first", "second")
	})
	t.Run("end a pod that must not restart", func(t *testing.T) {
		p := s.finished(t, s.tool(t, "fatal", "stay", never, s.initially(t, "first", "exit 3"), s.initially(t, "second", "stay")))
		if p.Status.Phase != corev1.PodFailed || ended(p, "first") != "3 Error" || waiting(p, "second") != "PodInitializing" || waiting(p, "c") != "PodInitializing" {
			t.Errorf("the pod is %s: %+v %+v", p.Status.Phase, p.Status.InitContainerStatuses, p.Status.ContainerStatuses)
		}
	})
	t.Run("are tried again", func(t *testing.T) {
		s.run(t, s.tool(t, "again", "stay", s.initially(t, "first", "exit 3")))
		p := s.until(t, "again", "its init container backs off", func(p *corev1.Pod) bool { return waiting(p, "first") == "CrashLoopBackOff" })
		if p.Status.Phase != corev1.PodPending || state(p, "first").RestartCount < 1 {
			t.Errorf("the pod is %s: %+v", p.Status.Phase, p.Status.InitContainerStatuses)
		}
		if out := s.mustKubectl(t, "get", "pod", "again", "-n", s.namespace); !strings.Contains(out, "Init:CrashLoopBackOff") {
			t.Error(out)
		}
	})
	t.Run("sidecars stay", func(t *testing.T) {
		sidecar := func(p *corev1.Pod) {
			p.Spec.InitContainers[0].RestartPolicy = ptr(corev1.ContainerRestartPolicyAlways)
		}
		p := s.finished(t, s.tool(t, "sidecar", "get http://localhost:8080/", never, s.initially(t, "web", "serve :8080 then stay"), sidecar))
		if p.Status.Phase != corev1.PodSucceeded {
			t.Errorf("the pod is %s: %+v", p.Status.Phase, p.Status.ContainerStatuses)
		}
		same(t, "the log", s.log(t, "sidecar", "c"), "hello from sidecar")
	})
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	s := sharedSpace(t)
	s.mustKubectl(t, "create", "configmap", "words", "-n", s.namespace, "--from-literal=GREETING=hello", "--from-literal=OTHER=other")
	s.mustKubectl(t, "create", "secret", "generic", "keys", "-n", s.namespace, "--from-literal=PASSWORD=sesame")
	from := func(name string, source corev1.EnvVarSource) corev1.EnvVar {
		return corev1.EnvVar{Name: name, ValueFrom: &source}
	}
	field := func(path string) corev1.EnvVarSource {
		return corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: path}}
	}
	words, keys := corev1.LocalObjectReference{Name: "words"}, corev1.LocalObjectReference{Name: "keys"}
	s.run(t, s.tool(t, "env", "echo $(BOTH) $$(BOTH) $(NONE) then env BOTH GREETING PASSWORD ALL_OTHER POD NODE IP LABEL CPU MEMORY MISSING", never, func(p *corev1.Pod) {
		p.Labels = map[string]string{"app": "env"}
		c := &p.Spec.Containers[0]
		c.Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("64Mi")}
		c.Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("20m")}
		c.EnvFrom = []corev1.EnvFromSource{{Prefix: "ALL_", ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: words}}}
		c.Env = []corev1.EnvVar{
			{Name: "ONE", Value: "1"}, {Name: "BOTH", Value: "$(ONE)+$(ALL_GREETING)"},
			from("GREETING", corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: words, Key: "GREETING"}}),
			from("PASSWORD", corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: keys, Key: "PASSWORD"}}),
			from("MISSING", corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{LocalObjectReference: keys, Key: "none", Optional: ptr(true)}}),
			from("POD", field("metadata.name")), from("NODE", field("spec.nodeName")), from("IP", field("status.podIP")),
			from("LABEL", field("metadata.labels['app']")),
			from("CPU", corev1.EnvVarSource{ResourceFieldRef: &corev1.ResourceFieldSelector{Resource: "requests.cpu", Divisor: resource.MustParse("1m")}}),
			from("MEMORY", corev1.EnvVarSource{ResourceFieldRef: &corev1.ResourceFieldSelector{Resource: "limits.memory"}}),
		}
	}))
	p := s.until(t, "env", "finished", func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodSucceeded })
	same(t, "the log", s.log(t, "env", "c"), "1+hello $(BOTH) $(NONE)",
		"BOTH=1+hello", "GREETING=hello", "PASSWORD=sesame", "ALL_OTHER=other", "POD=env", "NODE="+s.node, "IP="+p.Status.PodIP,
		"LABEL=env", "CPU=20", "MEMORY=67108864", "MISSING=(not set)")

	t.Run("waits for what is missing", func(t *testing.T) {
		s.run(t, s.tool(t, "wants", "env LATE", never, func(p *corev1.Pod) {
			p.Spec.Containers[0].Env = []corev1.EnvVar{from("LATE", corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{LocalObjectReference: corev1.LocalObjectReference{Name: "late"}, Key: "key"}})}
		}))
		p := s.until(t, "wants", "a config error", func(p *corev1.Pod) bool { return waiting(p, "c") == "CreateContainerConfigError" })
		if m := state(p, "c").State.Waiting.Message; m != `configmap "late" not found` {
			t.Errorf("it waits for: %s", m)
		}
		s.mustKubectl(t, "create", "configmap", "late", "-n", s.namespace, "--from-literal=key=come")
		s.until(t, "wants", "succeeded", func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodSucceeded })
		same(t, "the log", s.log(t, "wants", "c"), "LATE=come")
	})
}

func TestRestarts(t *testing.T) {
	t.Parallel()
	s := sharedSpace(t)
	policy := func(r corev1.RestartPolicy) func(*corev1.Pod) {
		return func(p *corev1.Pod) { p.Spec.RestartPolicy = r }
	}
	for _, pod := range []*corev1.Pod{
		s.tool(t, "always", "exit 0"),
		s.tool(t, "on-failure", "exit 4", policy(corev1.RestartPolicyOnFailure)),
	} {
		s.run(t, pod)
	}
	for name, want := range map[string]corev1.PodPhase{"never-good": corev1.PodSucceeded, "never-bad": corev1.PodFailed, "on-failure-good": corev1.PodSucceeded} {
		steps, p := "exit 0", policy(corev1.RestartPolicyNever)
		if strings.HasSuffix(name, "bad") {
			steps = "exit 5"
		}
		if strings.HasPrefix(name, "on") {
			p = policy(corev1.RestartPolicyOnFailure)
		}
		got := s.finished(t, s.tool(t, name, steps, p))
		if got.Status.Phase != want || state(got, "c").RestartCount != 0 {
			t.Errorf("pod %s is %s: %+v", name, got.Status.Phase, got.Status.ContainerStatuses)
		}
	}
	for name, end := range map[string]string{"always": "0 Completed", "on-failure": "4 Error"} {
		p := s.until(t, name, "backs off after its second restart", func(p *corev1.Pod) bool {
			return waiting(p, "c") == "CrashLoopBackOff" && state(p, "c").RestartCount == 2
		})
		if got := ended(p, "c"); got != end || p.Status.Phase != corev1.PodRunning {
			t.Errorf("pod %s is %s, and has ended with %s", name, p.Status.Phase, got)
		}
		if m := state(p, "c").State.Waiting.Message; !strings.HasPrefix(m, "back-off 20s restarting failed container=c pod="+name+"_") {
			t.Errorf("pod %s waits: %s", name, m)
		}
		s.told(t, name, "BackOff: Back-off restarting failed container c in pod "+name)
	}
}

func TestOutOfMemory(t *testing.T) {
	t.Parallel()
	s := sharedSpace(t)
	p := s.finished(t, s.tool(t, "hungry", "eat 200", never, func(p *corev1.Pod) {
		p.Spec.Containers[0].Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("32Mi")}
	}))
	if got := ended(p, "c"); got != "137 OOMKilled" {
		t.Errorf("it ended with %s", got)
	}
	t.Run("of the pod", func(t *testing.T) {
		p := s.finished(t, s.tool(t, "together", "eat 200", never, func(p *corev1.Pod) {
			p.Spec.Resources = &corev1.ResourceRequirements{Limits: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("32Mi")}}
		}))
		if got := ended(p, "c"); got != "137 OOMKilled" || p.Status.QOSClass != corev1.PodQOSBurstable {
			t.Errorf("it ended with %s, %s", got, p.Status.QOSClass)
		}
	})
	if out := s.mustKubectl(t, "get", "pod", "hungry", "-n", s.namespace); !strings.Contains(out, "OOMKilled") {
		t.Error(out)
	}
}

func TestTermination(t *testing.T) {
	t.Parallel()
	s := sharedSpace(t)
	host := mount("host", corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: t.TempDir()}})
	grace := func(seconds int64) func(*corev1.Pod) {
		return func(p *corev1.Pod) { p.Spec.TerminationGracePeriodSeconds = &seconds }
	}
	// A container is ready once its program has come so far as to say so.
	listening := func(p *corev1.Pod) {
		c := &p.Spec.Containers[0]
		c.ReadinessProbe = &corev1.Probe{PeriodSeconds: 1, ProbeHandler: corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: intstr.FromInt32(8080)}}}
		c.Args = slices.Insert(c.Args, 1, "then", "serve", ":8080")
	}
	t.Run("hooks come first", func(t *testing.T) {
		s.ready(t, s.tool(t, "hooks", "stay then write /host/log stopped", grace(20), host, func(p *corev1.Pod) {
			p.Spec.Containers[0].Lifecycle = &corev1.Lifecycle{
				PostStart: &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: []string{"/tool", "write", "/host/log", "begun"}}},
				PreStop:   &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: []string{"/tool", "write", "/host/log", "stopping"}}},
			}
		}))
		s.delete(t, "hooks")
		s.finished(t, s.tool(t, "reader", "cat /host/log", never, host))
		same(t, "the log", s.log(t, "reader", "c"), "begun", "stopping", "stopped")
		s.told(t, "hooks", "Killing: Stopping container c")
	})
	t.Run("grace ends", func(t *testing.T) {
		s.ready(t, s.tool(t, "deaf", "deaf then stay", grace(3), listening))
		begin := time.Now()
		s.delete(t, "deaf")
		if took := time.Since(begin); took < 3*time.Second || took > 15*time.Second {
			t.Errorf("it took %s", took)
		}
	})
	t.Run("at once", func(t *testing.T) {
		s.ready(t, s.tool(t, "forced", "deaf then stay", grace(600), listening))
		s.mustKubectl(t, "delete", "pod", "forced", "-n", s.namespace, "--force", "--grace-period=0")
		eventually(t, "no container of it", func() bool { return len(runningContainers(t, s.cluster, "forced")) == 0 })
	})
	t.Run("messages", func(t *testing.T) {
		p := s.finished(t, s.tool(t, "message", "write /dev/termination-log farewell then exit 1", never))
		if m := state(p, "c").State.Terminated.Message; m != "farewell\n" {
			t.Errorf("the message is %q", m)
		}
		p = s.finished(t, s.tool(t, "fallback", "echo last words then exit 1", never, func(p *corev1.Pod) {
			p.Spec.Containers[0].TerminationMessagePolicy = corev1.TerminationMessageFallbackToLogsOnError
		}))
		if m := state(p, "c").State.Terminated.Message; m != "last words\n" {
			t.Errorf("the message is %q", m)
		}
	})
	t.Run("deadline", func(t *testing.T) {
		p := s.finished(t, s.tool(t, "deadline", "stay", func(p *corev1.Pod) { p.Spec.ActiveDeadlineSeconds = ptr(int64(2)) }))
		if p.Status.Phase != corev1.PodFailed || p.Status.Reason != "DeadlineExceeded" {
			t.Errorf("the pod is %s: %s", p.Status.Phase, p.Status.Reason)
		}
	})
}

func TestSecurityContext(t *testing.T) {
	t.Parallel()
	s := sharedSpace(t)
	secure := func(change func(*corev1.SecurityContext)) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			c := &p.Spec.Containers[0]
			if c.SecurityContext == nil {
				c.SecurityContext = &corev1.SecurityContext{}
			}
			change(c.SecurityContext)
		}
	}
	s.finished(t, s.tool(t, "nobody", "id then write /tmp/x x then write /tool x", never, mount("data", emptyDir),
		func(p *corev1.Pod) {
			p.Spec.SecurityContext = &corev1.PodSecurityContext{FSGroup: ptr(int64(2000)), SupplementalGroups: []int64{3000}}
		},
		secure(func(c *corev1.SecurityContext) {
			c.RunAsUser, c.RunAsGroup, c.AllowPrivilegeEscalation = ptr(int64(1000)), ptr(int64(1001)), ptr(false)
			c.Capabilities = &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}}
		})))
	same(t, "an unprivileged container", s.log(t, "nobody", "c"), "uid 1000 gid 1001 groups [1001 2000 3000]",
		"CapEff 0000000000000000", "NoNewPrivs 1", "tool: open /tool: permission denied")
	s.finished(t, s.tool(t, "one", "id then write /tmp/x x", never, secure(func(c *corev1.SecurityContext) {
		c.ReadOnlyRootFilesystem = ptr(true)
		c.Capabilities = &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}, Add: []corev1.Capability{"NET_ADMIN"}}
	})))
	same(t, "one capability", s.log(t, "one", "c"), "uid 0 gid 0 groups [0]", "CapEff 0000000000001000", "NoNewPrivs 0",
		"tool: open /tmp/x: read-only file system")
	s.run(t, s.tool(t, "root", "stay", secure(func(c *corev1.SecurityContext) { c.RunAsNonRoot = ptr(true) })))
	p := s.until(t, "root", "refused", func(p *corev1.Pod) bool { return waiting(p, "c") == "CreateContainerConfigError" })
	if m := state(p, "c").State.Waiting.Message; !strings.Contains(m, "image will run as root") {
		t.Error(m)
	}
}

func TestUnsupported(t *testing.T) {
	t.Parallel()
	s := sharedSpace(t)
	s.run(t, s.tool(t, "odd", "stay", mount("disk", corev1.VolumeSource{NFS: &corev1.NFSVolumeSource{Server: "host", Path: "/x"}})))
	p := s.until(t, "odd", "refused", func(p *corev1.Pod) bool { return p.Status.Reason == "Unsupported" })
	const words = "this node's agent does not support volume type nfs of volume disk"
	if p.Status.Message != words || p.Status.Phase != corev1.PodPending {
		t.Errorf("the pod is %s: %s", p.Status.Phase, p.Status.Message)
	}
	s.told(t, "odd", "Unsupported: "+words)
	s.delete(t, "odd")
}

// TestPlacement is about pods that fit nowhere, and come to run once they do. It changes the node, so it has its own.
func TestPlacement(t *testing.T) {
	t.Parallel()
	c := ownCluster(t)
	must(t, c.up())
	s := c.space(t, metav1.NamespaceDefault)
	pending := func(name, why string) {
		t.Helper()
		s.told(t, name, "FailedScheduling: 0/1 nodes are available: "+why)
		if p := s.pod(t, name); p.Status.Phase != corev1.PodPending || p.Spec.NodeName != "" {
			t.Errorf("pod %s is %s on %q", name, p.Status.Phase, p.Spec.NodeName)
		}
	}
	s.run(t, s.tool(t, "huge", "stay", func(p *corev1.Pod) {
		p.Spec.Containers[0].Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1000")}
	}))
	s.run(t, s.tool(t, "picky", "stay", func(p *corev1.Pod) { p.Spec.NodeSelector = map[string]string{"disk": "fast"} }))
	pending("huge", "1 Insufficient cpu.")
	pending("picky", "1 node(s) didn't match Pod's node affinity/selector.")
	s.mustKubectl(t, "label", "node", s.node, "disk=fast")
	s.until(t, "picky", "ready", isReady)

	s.mustKubectl(t, "cordon", s.node)
	s.run(t, s.tool(t, "late", "stay"))
	pending("late", "1 node(s) were unschedulable.")
	s.mustKubectl(t, "uncordon", s.node)
	s.until(t, "late", "ready", isReady)

	s.mustKubectl(t, "taint", "node", s.node, "key=value:NoSchedule")
	s.run(t, s.tool(t, "plain", "stay"))
	s.run(t, s.tool(t, "tolerant", "stay", func(p *corev1.Pod) {
		p.Spec.Tolerations = []corev1.Toleration{{Key: "key", Operator: corev1.TolerationOpExists}}
	}))
	s.until(t, "tolerant", "ready", isReady)
	pending("plain", "1 node(s) had untolerated taint(s).")
	s.mustKubectl(t, "taint", "node", s.node, "key:NoSchedule-")
	s.until(t, "plain", "ready", isReady)
}
