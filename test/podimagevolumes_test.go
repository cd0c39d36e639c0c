package test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	corev1 "k8s.io/api/core/v1"

	"leme/nodeagent/docker/scratch"
)

// pushFiles puts an image into the cluster's registry that has nothing to run, and gives its name.
func (s space) pushFiles(t *testing.T, tag string, files ...scratch.File) string {
	t.Helper()
	img, err := scratch.Image(runtime.GOARCH, v1.Config{Labels: map[string]string{imagesLabel: imagesOfThisRun}}, files...)
	must(t, err)
	dir := filepath.Join(t.TempDir(), "layout")
	l, err := layout.Write(dir, empty.Index)
	must(t, err)
	must(t, l.AppendImage(img))
	name := fmt.Sprintf("%s-files-%d:%s", s.namespace, os.Getpid(), tag)
	s.must(t, "image", "push", dir, name)
	return "registry.leme/" + name
}

func imageVolume(reference string, policy corev1.PullPolicy) corev1.VolumeSource {
	return corev1.VolumeSource{Image: &corev1.ImageVolumeSource{Reference: reference, PullPolicy: policy}}
}

func TestImageVolumes(t *testing.T) {
	t.Parallel()
	s := sharedSpace(t)
	files := s.pushFiles(t, "1", scratch.File{Path: "greeting", Mode: 0o640, Content: []byte("hello\n")}, scratch.File{Path: "deep/", Mode: 0o750},
		scratch.File{Path: "deep/er", Mode: 0o644, Content: []byte("below\n")})

	t.Run("are read, and not written", func(t *testing.T) {
		s.finished(t, s.tool(t, "reads", "cat /files/greeting then stat /files/greeting then write /files/new x", never, mount("files", imageVolume(files, "")),
			func(p *corev1.Pod) { p.Spec.SecurityContext = &corev1.PodSecurityContext{FSGroup: ptr(int64(2000))} }))
		same(t, "the log", s.log(t, "reads", "c"), "hello", "0640 0 0", "tool: open /files/new: read-only file system")
		s.told(t, "reads", fmt.Sprintf("Pulling image %q", files))
		s.told(t, "reads", fmt.Sprintf("Successfully pulled image %q", files))
	})
	t.Run("by parts", func(t *testing.T) {
		part := func(path string) func(*corev1.Pod) {
			return func(p *corev1.Pod) { p.Spec.Containers[0].VolumeMounts[0].SubPath = path }
		}
		s.finished(t, s.tool(t, "part", "cat /files/er then write /files/er x", never, mount("files", imageVolume(files, "")), part("deep")))
		same(t, "the log", s.log(t, "part", "c"), "below", "tool: open /files/er: read-only file system")
		s.told(t, "part", fmt.Sprintf("Container image %q already present on machine and can be accessed by the pod", files))
		s.run(t, s.tool(t, "no-part", "stay", mount("files", imageVolume(files, "")), part("none")))
		s.until(t, "no-part", "refused", waits("CreateContainerError"))
		s.told(t, "no-part", `Error: ImageVolumeMountFailed: resolving subPath "none": no such file or directory`)
	})
	t.Run("by their policies", func(t *testing.T) {
		missing := strings.TrimSuffix(files, "1") + "2"
		s.run(t, s.tool(t, "never", "stay", mount("files", imageVolume(missing, corev1.PullNever))))
		s.until(t, "never", "refused", waits("ErrImageNeverPull"))
		s.run(t, s.tool(t, "waits", "cat /files/greeting", never, mount("files", imageVolume(missing, corev1.PullAlways))))
		s.until(t, "waits", "backing off", waits("ImagePullBackOff"))
		s.told(t, "waits", fmt.Sprintf("Back-off pulling image %q", missing))
		s.told(t, "waits", "Error: ErrImagePull")
		s.pushFiles(t, "2", scratch.File{Path: "greeting", Mode: 0o644, Content: []byte("late\n")})
		s.until(t, "waits", "succeeded", func(p *corev1.Pod) bool { return p.Status.Phase == corev1.PodSucceeded })
		same(t, "the log", s.log(t, "waits", "c"), "late")
	})
	t.Run("in containers that do not mount them they are not missed", func(t *testing.T) {
		p := s.tool(t, "aside", "echo here", never)
		p.Spec.Volumes = []corev1.Volume{{Name: "files", VolumeSource: imageVolume("registry.leme/none/such:1", "")}}
		s.finished(t, p)
		same(t, "the log", s.log(t, "aside", "c"), "here")
	})
}
