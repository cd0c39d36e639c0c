package kind

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// checkPart writes a changed pod through one of its subresources: what is left of the change is validated.
func checkPart(t *testing.T, name string, base func() *corev1.Pod, changes []change[*corev1.Pod]) {
	t.Helper()
	s, ok := Pod.Subresource(name)
	if !ok {
		t.Fatalf("pods have no %s", name)
	}
	for _, c := range changes {
		t.Run(c.name, func(t *testing.T) {
			old := base()
			Pod.Default(old)
			updated := old.DeepCopy()
			c.mutate(updated)
			Pod.Default(updated)
			s.Prepare(updated, old)
			if got := causes(s.Validate(updated, old)); !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
		})
	}
}

// looks adds ephemeral containers.
func looks(list ...corev1.EphemeralContainerCommon) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		for _, c := range list {
			p.Spec.EphemeralContainers = append(p.Spec.EphemeralContainers, corev1.EphemeralContainer{EphemeralContainerCommon: c})
		}
	}
}

func TestEphemeralContainers(t *testing.T) {
	const at = "spec.ephemeralContainers"
	common := func(mutate func(*corev1.EphemeralContainerCommon)) func(*corev1.Pod) {
		c := corev1.EphemeralContainerCommon{Name: "debug", Image: "box"}
		mutate(&c)
		return looks(c)
	}
	debugged := func() *corev1.Pod {
		p := basePod()
		common(func(*corev1.EphemeralContainerCommon) {})(p)
		return p
	}
	checkPart(t, "ephemeralcontainers", basePod, []change[*corev1.Pod]{
		{"one", common(func(c *corev1.EphemeralContainerCommon) { c.TTY, c.Stdin = true, true }), nil},
		{"anything else is kept", spec(func(s *corev1.PodSpec) { s.Containers[0].Image = "" }), nil},
		{"no image", common(func(c *corev1.EphemeralContainerCommon) { c.Image = "" }), []string{at + "[0].image" + isRequired}},
		{"a container's name", common(func(c *corev1.EphemeralContainerCommon) { c.Name = "prepare" }), []string{at + "[0].name" + isDuplicate}},
		{"ports", common(func(c *corev1.EphemeralContainerCommon) { c.Ports = []corev1.ContainerPort{{ContainerPort: 1}} }), []string{at + "[0].ports" + isForbidden}},
		{"resources", common(func(c *corev1.EphemeralContainerCommon) {
			c.Resources.Limits = corev1.ResourceList{"cpu": resource.MustParse("1")}
		}), []string{at + "[0].resources" + isForbidden}},
		{"a probe", common(func(c *corev1.EphemeralContainerCommon) {
			c.LivenessProbe = &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{}}}
		}), []string{at + "[0].livenessProbe" + isForbidden}},
		{"part of a volume", common(func(c *corev1.EphemeralContainerCommon) {
			c.VolumeMounts = []corev1.VolumeMount{{Name: "data", MountPath: "/data", SubPath: "a"}}
		}), []string{at + "[0].volumeMounts[0].subPath" + isForbidden}},
		{"no such target", func(p *corev1.Pod) {
			p.Spec.EphemeralContainers = []corev1.EphemeralContainer{{TargetContainerName: "x", EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "debug", Image: "box"}}}
		}, []string{at + "[0].targetContainerName" + isNotFound}},
		{"a target", func(p *corev1.Pod) {
			p.Spec.EphemeralContainers = []corev1.EphemeralContainer{{TargetContainerName: "web", EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "debug", Image: "box"}}}
		}, nil},
	})
	checkPart(t, "ephemeralcontainers", debugged, []change[*corev1.Pod]{
		{"another", looks(corev1.EphemeralContainerCommon{Name: "two", Image: "box"}), nil},
		{"none", spec(func(s *corev1.PodSpec) { s.EphemeralContainers = nil }), []string{at + isForbidden}},
		{"changed", spec(func(s *corev1.PodSpec) { s.EphemeralContainers[0].Image = "x" }), []string{at + isForbidden}},
	})
	if got := causes(Pod.ValidateCreate(debugged())); !slices.Equal(got, []string{at + isForbidden}) {
		t.Errorf("a new pod has ephemeral containers: %v", got)
	}
}

// wants sets what the pod's container asks for.
func wants(list corev1.ResourceList) func(*corev1.Pod) {
	return first(func(c *corev1.Container) { c.Resources.Requests = list })
}

func TestResize(t *testing.T) {
	burstable := func() *corev1.Pod {
		p := basePod()
		p.Spec.InitContainers = nil
		wants(corev1.ResourceList{"cpu": resource.MustParse("100m"), "memory": resource.MustParse("32Mi")})(p)
		return p
	}
	limits := func(list corev1.ResourceList) func(*corev1.Pod) {
		return first(func(c *corev1.Container) { c.Resources.Limits = list })
	}
	policy := func(list ...corev1.ContainerResizePolicy) func(*corev1.Pod) {
		return first(func(c *corev1.Container) { c.ResizePolicy = list })
	}
	checkPart(t, "resize", burstable, []change[*corev1.Pod]{
		{"more", wants(corev1.ResourceList{"cpu": resource.MustParse("200m"), "memory": resource.MustParse("64Mi")}), nil},
		{"anything else is kept", spec(func(s *corev1.PodSpec) { s.Containers[0].Image = "" }), nil},
		{"a policy", policy(corev1.ContainerResizePolicy{ResourceName: "memory", RestartPolicy: corev1.RestartContainer}), []string{"spec" + isForbidden}},
		{"more than the limit", wants(corev1.ResourceList{"cpu": resource.MustParse("2"), "memory": resource.MustParse("32Mi")}), []string{container + ".resources.requests" + isInvalid}},
		{"another class", wants(corev1.ResourceList{"cpu": resource.MustParse("1"), "memory": resource.MustParse("64Mi")}), []string{"spec" + isInvalid}},
		{"a limit less", limits(corev1.ResourceList{"cpu": resource.MustParse("1")}), []string{container + ".resources.limits" + isForbidden}},
		{"disk", limits(corev1.ResourceList{"cpu": resource.MustParse("1"), "memory": resource.MustParse("64Mi"), "ephemeral-storage": resource.MustParse("1Gi")}), []string{"spec" + isForbidden}},
		{"another container", spec(func(s *corev1.PodSpec) {
			s.Containers = append(s.Containers, corev1.Container{Name: "two", Image: "x"})
		}), []string{"spec.containers" + isForbidden}},
		{"renamed", first(func(c *corev1.Container) { c.Name = "two" }), []string{container + ".name" + isForbidden}},
	})
	checkChanges(t, Pod, basePod, []change[*corev1.Pod]{
		{"policy of disk", policy(corev1.ContainerResizePolicy{ResourceName: "disk", RestartPolicy: "Maybe"}), []string{container + ".resizePolicy" + isNotSupported, container + ".resizePolicy" + isNotSupported}},
		{"two policies", policy(corev1.ContainerResizePolicy{ResourceName: "cpu", RestartPolicy: corev1.NotRequired}, corev1.ContainerResizePolicy{ResourceName: "cpu", RestartPolicy: corev1.NotRequired}), []string{container + ".resizePolicy[1]" + isDuplicate}},
		{"restart for an init container", spec(func(s *corev1.PodSpec) {
			s.InitContainers[0].ResizePolicy = []corev1.ContainerResizePolicy{{ResourceName: "cpu", RestartPolicy: corev1.RestartContainer}}
		}), []string{"spec.initContainers[0].resizePolicy[0].restartPolicy" + isInvalid}},
	})
	old := func() *corev1.Pod {
		p := burstable()
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{Name: "web", State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}}
		return p
	}
	checkPart(t, "resize", old, []change[*corev1.Pod]{
		{"an agent that cannot", wants(corev1.ResourceList{"cpu": resource.MustParse("200m"), "memory": resource.MustParse("32Mi")}), []string{"spec" + isForbidden}},
	})
}

func TestPartsCountGenerations(t *testing.T) {
	old := basePod()
	Pod.Default(old)
	old.Generation = 4
	s, _ := Pod.Subresource("resize")
	updated := old.DeepCopy()
	updated.Labels = map[string]string{"a": "b"}
	if s.Prepare(updated, old); updated.Generation != 4 || updated.Labels != nil {
		t.Errorf("generation %d, labels %v after nothing was resized", updated.Generation, updated.Labels)
	}
	wants(corev1.ResourceList{"cpu": resource.MustParse("1m")})(updated)
	if s.Prepare(updated, old); updated.Generation != 5 {
		t.Errorf("generation %d after a resize", updated.Generation)
	}
}
