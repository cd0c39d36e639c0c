package test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// writeManifest writes the file of a static pod that stays, as a whole.
func writeManifest(t *testing.T, folder, image, color string) {
	t.Helper()
	text := fmt.Sprintf(`
apiVersion: v1
kind: Pod
metadata: {name: steady, labels: {color: %s}}
spec: {terminationGracePeriodSeconds: 2, containers: [{name: c, image: %q, args: [stay]}]}
`, color, image)
	must(t, os.WriteFile(filepath.Join(folder, ".new"), []byte(text), 0o600))
	must(t, os.Rename(filepath.Join(folder, ".new"), filepath.Join(folder, "steady.yaml")))
}

// TestStaticPods: pods from files run without a server, and show in the API when there is one.
func TestStaticPods(t *testing.T) {
	t.Parallel()
	c := ownCluster(t)
	folder := t.TempDir()
	c.agent = append(c.agent, "--pod-manifest-path", folder)
	server, agent := c.upApart(t)
	s := c.space(t, metav1.NamespaceDefault)
	name := "steady-" + c.node
	shown := func(what, color string) *corev1.Pod {
		t.Helper()
		return s.until(t, name, what, func(p *corev1.Pod) bool {
			return p.DeletionTimestamp == nil && p.Labels["color"] == color && slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
				return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
			})
		})
	}
	running := func() []string { return runningContainers(t, c, name) }

	writeManifest(t, folder, s.mustTool(t), "red")
	mirror := shown("shown", "red")
	if _, ok := mirror.Annotations[corev1.MirrorPodAnnotationKey]; !ok || len(mirror.OwnerReferences) != 1 || mirror.OwnerReferences[0].Kind != "Node" {
		t.Errorf("the mirror has annotations %v, owners %v", mirror.Annotations, mirror.OwnerReferences)
	}
	if mirror.Spec.PriorityClassName != "system-node-critical" || mirror.Spec.ServiceAccountName != "" || len(mirror.Spec.Volumes) > 0 {
		t.Errorf("the mirror's spec is %+v", mirror.Spec)
	}
	if out := s.exec(t, name, "cat", "/etc/hostname"); !strings.Contains(out, name) {
		t.Errorf("in the pod its name is %q", out)
	}
	if described := s.mustKubectl(t, "describe", "pod", name); !strings.Contains(described, "Started container c") {
		t.Errorf("its events are not those of the pod:\n%s", described)
	}
	before := running()

	s.mustKubectl(t, "delete", "pod", name, "--wait=false")
	s.until(t, name, "shown again", func(p *corev1.Pod) bool { return p.UID != mirror.UID })
	shown("shown again", "red")
	if after := running(); !slices.Equal(before, after) {
		t.Errorf("deleting the mirror changed the containers from %v to %v", before, after)
	}

	server.kill(t)
	agent.kill(t)
	for _, container := range before { // as after the machine was started anew
		docker(t, "rm", "-f", container)
	}
	agent.start(t, c)
	eventually(t, "the pod runs without a server", func() bool { return len(running()) == 2 })
	alone := running()
	server.start(t, c)
	s = s.awaitServer(t)
	s.until(t, name, "shown when the server comes", func(p *corev1.Pod) bool {
		return len(p.Status.ContainerStatuses) == 1 && p.Status.ContainerStatuses[0].State.Running != nil && p.Status.ContainerStatuses[0].Ready &&
			strings.HasSuffix(p.Status.ContainerStatuses[0].ContainerID, strings.TrimSpace(docker(t, "inspect", "-f", "{{.Id}}", alone[1])))
	})
	if after := running(); !slices.Equal(alone, after) {
		t.Errorf("the server that came changed the containers from %v to %v", alone, after)
	}

	writeManifest(t, folder, s.mustTool(t), "blue")
	shown("changed", "blue")
	eventually(t, "the changed pod's containers alone", func() bool {
		now := running()
		return len(now) == 2 && !slices.Contains(now, alone[0]) && !slices.Contains(now, alone[1])
	})
	must(t, os.WriteFile(filepath.Join(folder, "curious.yaml"), []byte(
		`{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "curious"}, "spec": {"serviceAccountName": "default", "containers": [{"name": "c", "image": "x"}]}}`), 0o600))
	eventually(t, "an event of the node", func() bool {
		return strings.Contains(c.mustKubectl(t, "get", "events", "-A", "--field-selector", "involvedObject.kind=Node"), "static pods may not reference serviceaccounts")
	})
	must(t, os.Remove(filepath.Join(folder, "steady.yaml")))
	eventually(t, "nothing is left", func() bool { return s.pod(t, name) == nil && len(running()) == 0 })
}
