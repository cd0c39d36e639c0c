package test

import (
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

func localName(name string) corev1.LocalObjectReference {
	return corev1.LocalObjectReference{Name: name}
}

// key is an item of a ConfigMap or Secret volume.
func key(name, path string, mode int32) corev1.KeyToPath {
	return corev1.KeyToPath{Key: name, Path: path, Mode: &mode}
}

func TestVolumes(t *testing.T) {
	t.Parallel()
	s := sharedSpace(t)
	s.mustKubectl(t, "create", "configmap", "words", "-n", s.namespace, "--from-literal=one=first", "--from-literal=two=second")
	s.mustKubectl(t, "create", "secret", "generic", "keys", "-n", s.namespace, "--from-literal=password=sesame")
	words := corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: localName("words")}}

	t.Run("in memory and on disk", func(t *testing.T) {
		memory := corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory, SizeLimit: ptr(resource.MustParse("1Mi"))}}
		s.finished(t, s.tool(t, "empty", "write /disk/x shared then cat /disk/x then fs /disk /memory", never, mount("disk", emptyDir), mount("memory", memory)))
		same(t, "the log", s.log(t, "empty", "c"), "shared", "disk", "memory 1048576")
	})
	t.Run("items, modes and parts", func(t *testing.T) {
		source := corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
			LocalObjectReference: localName("words"), Items: []corev1.KeyToPath{key("one", "deep/uno", 0o440)},
		}}
		s.finished(t, s.tool(t, "parts", "cat /some/deep/uno /dos then stat /some/deep/uno then cat /some/two", never, mount("some", source), mount("all", words),
			func(p *corev1.Pod) {
				c := &p.Spec.Containers[0]
				c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: "all", MountPath: "/dos", SubPath: "two"})
			}))
		same(t, "the log", s.log(t, "parts", "c"), "first", "second", "0440 0 0", "tool: open /some/two: no such file or directory")
	})
	t.Run("projected", func(t *testing.T) {
		source := corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{DefaultMode: ptr(int32(0o400)), Sources: []corev1.VolumeProjection{
			{ConfigMap: &corev1.ConfigMapProjection{LocalObjectReference: localName("words"), Items: []corev1.KeyToPath{{Key: "two", Path: "two"}}}},
			{Secret: &corev1.SecretProjection{LocalObjectReference: localName("keys")}},
			{DownwardAPI: &corev1.DownwardAPIProjection{Items: []corev1.DownwardAPIVolumeFile{{Path: "name", FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.name"}}}}},
		}}}
		s.finished(t, s.tool(t, "projected", "cat /all/two /all/password /all/name then stat /all/password then write /all/two x", never, mount("all", source)))
		same(t, "the log", s.log(t, "projected", "c"), "second", "sesame", "projected", "0400 0 0", "tool: open /all/two: read-only file system")
	})
	t.Run("host", func(t *testing.T) {
		dir := t.TempDir()
		missing := corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: dir + "/none", Type: ptr(corev1.HostPathDirectory)}}
		s.run(t, s.tool(t, "missing", "stay", mount("host", missing)))
		s.told(t, "missing", "FailedMount: ")
		created := corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: dir + "/new", Type: ptr(corev1.HostPathDirectoryOrCreate)}}
		p := s.finished(t, s.tool(t, "host", "write /host/x hello", never, mount("host", created)))
		if p.Status.Phase != corev1.PodSucceeded {
			t.Errorf("the pod is %s", p.Status.Phase)
		}
		s.delete(t, "host")
		s.finished(t, s.tool(t, "after", "cat /host/x", never, mount("host", created)))
		same(t, "the log", s.log(t, "after", "c"), "hello")
	})
	t.Run("follow their objects", func(t *testing.T) {
		s.ready(t, s.tool(t, "live", "stay", mount("words", words)))
		s.mustKubectl(t, "patch", "configmap", "words", "-n", s.namespace, "-p", `{"data":{"one":"changed"}}`)
		eventually(t, "the new content in the container", func() bool {
			return strings.TrimSpace(s.exec(t, "live", "cat", "/words/one")) == "changed"
		})
	})
	t.Run("wait for their objects", func(t *testing.T) {
		late := corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "late"}}
		s.run(t, s.tool(t, "wants", "cat /late/key", never, mount("late", late)))
		s.told(t, "wants", `FailedMount: MountVolume.SetUp failed for volume "late" : secret "late" not found`)
		s.mustKubectl(t, "create", "secret", "generic", "late", "-n", s.namespace, "--from-literal=key=come")
		s.until(t, "wants", "succeeded", func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodSucceeded })
		same(t, "the log", s.log(t, "wants", "c"), "come")
	})
}

func TestPodNetwork(t *testing.T) {
	t.Parallel()
	s := sharedSpace(t)
	ports, err := freePorts(2)
	must(t, err)
	web := s.ready(t, s.tool(t, "web", "serve :8080 then stay", func(p *corev1.Pod) {
		p.Spec.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: 8080, HostPort: int32(ports[0]), HostIP: "127.0.0.1"}}
	}))
	from := func(name, url string, changes ...func(*corev1.Pod)) {
		t.Helper()
		s.finished(t, s.tool(t, name, "get "+url, append(changes, never)...))
		same(t, name, s.log(t, name, "c"), "hello from web")
	}
	inHost := func(p *corev1.Pod) { p.Spec.HostNetwork = true }
	url := fmt.Sprintf("http://%s:8080/", web.Status.PodIP)
	from("pod-to-pod", url)
	from("host-to-pod", url, inHost)
	from("host-port", fmt.Sprintf("http://127.0.0.1:%d/", ports[0]), inHost)

	host := s.ready(t, s.tool(t, "host", fmt.Sprintf("serve 127.0.0.1:%d then stay", ports[1]), inHost))
	if host.Status.PodIP != host.Status.HostIP {
		t.Errorf("in the host's network its address is %s, the host's %s", host.Status.PodIP, host.Status.HostIP)
	}
}
