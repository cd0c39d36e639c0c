package test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/moby/moby/client"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"leme/nodeagent/docker/dockertest/machine"
)

// TestDiskFull fills the disk that the agent and its engine keep everything on. What runs runs on, what cannot be made
// says why, pods can be deleted, the agent can start anew; and once there is room all is as it should be.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	const size = 400 << 20
	f := newFrontier(t, machine.Config{LiveRestore: true, Disk: size})
	// Pods are not evicted, and images not removed, for want of room: it shall stay full.
	o := f.outpost(t, "netns", "--eviction-hard", "memory.available<1Mi", "--image-gc-high-threshold", "100")
	must(t, o.start())
	o.awaitReady(t)
	s := o.subject(t)
	words, err := s.client.CoreV1().ConfigMaps(s.namespace).Create(t.Context(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "words"}, Data: map[string]string{"word": "first"}}, metav1.CreateOptions{})
	must(t, err)
	s.run(t, s.filling("stays", s.image))
	s.run(t, s.filling("goes", s.image))
	stays := s.until(t, "stays", "ready", isReady)
	s.until(t, "goes", "ready", isReady)

	free := f.FillDisk(t)
	_, err = s.client.CoreV1().ConfigMaps(s.namespace).Patch(t.Context(), words.Name, types.MergePatchType, []byte(`{"data":{"word":"`+strings.Repeat("second ", 2000)+`"}}`), metav1.PatchOptions{})
	must(t, err)
	s.run(t, s.filling("late", s.image))
	s.run(t, s.filling("pulls", s.update))
	s.told(t, "late", "no space left on device")
	s.told(t, "pulls", "no space left on device")
	s.delete(t, "goes")
	_, err = s.Engine.ContainerKill(t.Context(), strings.TrimPrefix(state(stays, "c").ContainerID, "docker://"), client.ContainerKillOptions{Signal: "KILL"})
	must(t, err)
	s.until(t, "stays", "told of as ended", func(p *corev1.Pod) bool { return !isReady(p) || state(p, "c").RestartCount > 0 })
	o.again()
	s.until(t, "late", "still not running", func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodPending })

	free()
	for name, restarts := range map[string]int32{"stays": 1, "late": 0, "pulls": 0} {
		p := s.until(t, name, "ready", isReady)
		if got := state(p, "c").RestartCount; got != restarts {
			t.Errorf("%s was restarted %d times, want %d", name, got, restarts)
		}
		eventually(t, "the new words in "+name, func() bool {
			word := s.Output(t, "cat", filepath.Join(o.home, "agent", "pods", string(p.UID), "volumes", "words", "word"))
			return strings.HasPrefix(word, "second")
		})
		s.delete(t, name)
	}
	o.awaitNothingLeft(t)
	if partial := s.Output(t, "find", filepath.Join(o.home, "agent"), "-name", "*.partial*", "-o", "-name", "*.new"); partial != "" {
		t.Errorf("halfway files are left: %s", partial)
	}
}

// filling is a pod whose agent has to write much for it.
func (s *subject) filling(name, image string) *corev1.Pod {
	p := s.pod()
	p.Name = name
	c := &p.Spec.Containers[0]
	p.Spec.Resources, p.Spec.InitContainers, c.Lifecycle, c.ReadinessProbe = nil, nil, nil, nil
	c.Image, c.Ports = image, nil
	c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: "words", MountPath: "/words"}, corev1.VolumeMount{Name: "disk", MountPath: "/disk"})
	p.Spec.Volumes = append(p.Spec.Volumes,
		corev1.Volume{Name: "words", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "words"}}}},
		corev1.Volume{Name: "disk", VolumeSource: emptyDir})
	return p
}
