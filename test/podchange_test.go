package test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// TestPodsChangeWhileTheyRun looks around in a running pod with a container of one's own, and gives it more of the node;
// what runs in it is not disturbed.
func TestPodsChangeWhileTheyRun(t *testing.T) {
	t.Parallel()
	s := sharedSpace(t)
	image := s.mustTool(t)
	s.ready(t, s.tool(t, "web", "stay"))
	verb{"kubectl debug web --target=c -c looker --image=" + image + " -- /tool echo looked", 0, "Targeting container"}.run(t, s.cluster, "", s.namespace)
	s.until(t, "web", "looked into", func(p *corev1.Pod) bool {
		list := p.Status.EphemeralContainerStatuses
		return len(list) == 1 && list[0].State.Terminated != nil && list[0].State.Terminated.ExitCode == 0
	})
	verb{"both logs web -c looker", 0, "looked"}.run(t, s.cluster, "", s.namespace)

	s.ready(t, s.tool(t, "sized", "stay", func(p *corev1.Pod) {
		p.Spec.Containers[0].Resources.Requests = amounts("50m", "16Mi")
		p.Spec.Containers[0].Resources.Limits = amounts("100m", "32Mi")
	}))
	const more = `{"spec":{"containers":[{"name":"c","resources":{"requests":{"cpu":"60m"},"limits":{"cpu":"200m","memory":"48Mi"}}}]}}`
	s.mustKubectl(t, "-n", s.namespace, "patch", "pod", "sized", "--subresource=resize", "--patch="+more)
	sized := s.until(t, "sized", "resized", func(p *corev1.Pod) bool {
		c := state(p, "c")
		return c.Resources != nil && c.Resources.Limits.Memory().String() == "48Mi" && c.AllocatedResources.Cpu().String() == "60m"
	})
	s.told(t, "sized", "ResizeCompleted: Pod resize completed: ")
	for _, pod := range []*corev1.Pod{sized, s.until(t, "web", "ready", isReady)} {
		if c := state(pod, "c"); c.RestartCount != 0 {
			t.Errorf("%s was restarted %d times", pod.Name, c.RestartCount)
		}
	}
}

func amounts(cpu, memory string) corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory)}
}
