package test

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/containerd/errdefs"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/moby/client"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"leme/nodeagent/docker/scratch"
)

// subject is a pod that leads a whole life on an outpost: all that an agent does for pods happens to it, and it is known
// what has to come of that.
type subject struct {
	*outpost
	name          string
	image, update string // which the engine does not have when the life begins
	starts        *starts
}

// subject makes the images of an outpost's pod.
func (o *outpost) subject(t *testing.T) *subject {
	t.Helper()
	program, err := built("leme/test/tool")
	must(t, err)
	image := func(of string) string {
		image, err := scratch.Image(runtime.GOARCH, v1.Config{Entrypoint: []string{"/tool"}, Cmd: []string{"stay"}},
			scratch.File{Path: "tool", Mode: 0o755, Content: program},
			scratch.File{Path: "of", Mode: 0o644, Content: []byte(o.node + of)},
		)
		must(t, err)
		name, err := o.push(o.node+of, image)
		must(t, err)
		return name
	}
	return &subject{outpost: o, image: image("a"), update: image("b")}
}

func (s *subject) pod() *corev1.Pod {
	tool := func(steps string) []string { return append([]string{"/tool"}, strings.Fields(steps)...) }
	data := corev1.VolumeMount{Name: "data", MountPath: "/data"}
	ready := probe(exists["exec"]("/data/ready"))
	alive := patient(probe(corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/", Port: intstr.FromInt32(8080)}}))
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: s.name, Namespace: s.namespace},
		Spec: corev1.PodSpec{
			NodeName: s.node, TerminationGracePeriodSeconds: ptr(int64(10)),
			Resources: &corev1.ResourceRequirements{Limits: amounts("900m", "128Mi")},
			Volumes: []corev1.Volume{
				{Name: "data", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMediumMemory}}},
				{Name: "ca", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: "kube-root-ca.crt"}}}},
			},
			InitContainers: []corev1.Container{{Name: "first", Image: s.image, Command: tool("write /data/ready yes"), VolumeMounts: []corev1.VolumeMount{data}}},
			Containers: []corev1.Container{{
				Name: "c", Image: s.image, Command: tool("serve :8080 then stay"),
				Ports:     []corev1.ContainerPort{{ContainerPort: 8080, HostPort: int32(s.port)}},
				Resources: corev1.ResourceRequirements{Limits: amounts("100m", "64Mi")},
				VolumeMounts: []corev1.VolumeMount{data, {Name: "data", MountPath: "/part", SubPath: "part"},
					{Name: "data", MountPath: "/sealed", ReadOnly: true, RecursiveReadOnly: ptr(corev1.RecursiveReadOnlyIfPossible)},
					{Name: "ca", MountPath: "/ca.crt", SubPath: "ca.crt"}},
				ReadinessProbe: ready, LivenessProbe: alive,
				Lifecycle: &corev1.Lifecycle{PreStop: &corev1.LifecycleHandler{Exec: &corev1.ExecAction{Command: tool("echo over")}}},
			}},
		},
	}
}

// live leads the life: it begins, a container ends, is given more, is made anew and looked into, and the pod is deleted.
// Nothing starts twice, nothing is counted twice, and nothing stays.
func (s *subject) live(t *testing.T, name string) {
	t.Helper()
	s.name = name
	s.forgetImages(t)
	s.starts = s.followStarts(t)
	s.run(t, s.pod())
	begun := s.awaitRestarts(t, 0)

	_, err := s.Engine.ContainerKill(t.Context(), strings.TrimPrefix(state(begun, "c").ContainerID, "docker://"), client.ContainerKillOptions{Signal: "KILL"})
	must(t, err)
	if got := ended(s.awaitRestarts(t, 1), "c"); got != "137 Error" {
		t.Errorf("it ended with %s", got)
	}

	s.patch(t, `{"spec":{"containers":[{"name":"c","resources":{"limits":{"cpu":"200m"}}}]}}`, "resize")
	s.until(t, name, "resized", func(p *corev1.Pod) bool {
		c := state(p, "c")
		return c.RestartCount == 1 && c.Resources != nil && c.Resources.Limits.Cpu().String() == "200m"
	})

	s.patch(t, fmt.Sprintf(`{"spec":{"containers":[{"name":"c","image":%q}]}}`, s.update))
	s.awaitRestarts(t, 2)

	s.patch(t, fmt.Sprintf(`{"spec":{"ephemeralContainers":[{"name":"looker","image":%q,"command":["/tool","stay"],"targetContainerName":"c"}]}}`, s.update), "ephemeralcontainers")
	p := s.until(t, name, "looked into", func(p *corev1.Pod) bool {
		list := p.Status.EphemeralContainerStatuses
		return len(list) == 1 && list[0].State.Running != nil
	})
	if c := state(p, "c"); c.RestartCount != 2 || state(p, "first").RestartCount != 0 || p.Status.EphemeralContainerStatuses[0].RestartCount != 0 {
		t.Errorf("its containers: %+v %+v", p.Status.InitContainerStatuses, p.Status.ContainerStatuses)
	}

	s.delete(t, name)
	s.awaitNothingLeft(t)
	for _, event := range s.events(t, name) {
		if technical.MatchString(event) {
			t.Errorf("it was told in no plain words: %s", event)
		}
	}
	s.starts.exactly(t, map[string]int{"POD_0": 1, "first_0": 1, "c_0": 1, "c_1": 1, "c_2": 1, "looker_0": 1})
}

// abort ends a life that went wrong.
func (s *subject) abort(t *testing.T) {
	t.Helper()
	err := s.client.CoreV1().Pods(s.namespace).Delete(t.Context(), s.name, metav1.DeleteOptions{})
	if !apierrors.IsNotFound(err) {
		must(t, err)
	}
	s.awaitNothingLeft(t)
}

// technical is what only a programmer reads: sockets, requests to the engine, and what its client says before its words.
var technical = regexp.MustCompile(`\.sock|http://%2F|/v1\.\d\d/|response from daemon|EOF|dial unix|context (canceled|deadline)`)

func (s *subject) patch(t *testing.T, patch string, subresource ...string) {
	t.Helper()
	_, err := s.client.CoreV1().Pods(s.namespace).Patch(t.Context(), s.name, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{}, subresource...)
	must(t, err)
}

// awaitRestarts waits until the container runs well, and was restarted so often.
func (s *subject) awaitRestarts(t *testing.T, n int32) *corev1.Pod {
	t.Helper()
	p := s.until(t, s.name, fmt.Sprintf("ready, %d restarts", n), func(p *corev1.Pod) bool { return isReady(p) && state(p, "c").RestartCount >= n })
	if got := state(p, "c").RestartCount; got != n {
		t.Fatalf("it was restarted %d times, and should %d", got, n)
	}
	return p
}

// forgetImages makes the next life begin with a pull.
func (s *subject) forgetImages(t *testing.T) {
	t.Helper()
	for _, image := range []string{s.image, s.update} {
		there, err := s.Engine.ImageInspect(t.Context(), image)
		if errdefs.IsNotFound(err) {
			continue
		}
		must(t, err)
		_, err = s.Engine.ImageRemove(t.Context(), there.ID, client.ImageRemoveOptions{Force: true})
		must(t, err)
	}
}

func (o *outpost) awaitNothingLeft(t *testing.T) {
	t.Helper()
	awaitNothing(t, o.left)
}

// starts counts the starts of a node's containers, by the engine's own word.
type starts struct {
	mu    sync.Mutex
	count map[string]int  // by NAME_ATTEMPT
	there map[string]bool // the IDs of those that have started and are not removed
}

// followStarts counts from now on, until the test ends.
func (o *outpost) followStarts(t *testing.T) *starts {
	t.Helper()
	s := &starts{count: map[string]int{}, there: map[string]bool{}}
	filters := make(client.Filters).Add("label", "leme.node="+o.node).Add("type", "container").Add("event", "start", "destroy")
	stream := o.Engine.Events(t.Context(), client.EventsListOptions{Filters: filters})
	go func() {
		for {
			select {
			case m := <-stream.Messages:
				s.take(string(m.Action), m.Actor.ID, m.Actor.Attributes["name"])
			case err := <-stream.Err:
				if t.Context().Err() == nil {
					t.Errorf("the engine's events broke off: %v", err)
				}
				return
			}
		}
	}()
	return s
}

func (s *starts) take(event, id, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if event == "destroy" {
		delete(s.there, id)
		return
	}
	parts := strings.Split(name, "_") // leme_CONTAINER_POD_NAMESPACE_UID_ATTEMPT
	s.count[parts[1]+"_"+parts[len(parts)-1]]++
	s.there[id] = true
}

// exactly says whether these have started so often, once all are removed.
func (s *starts) exactly(t *testing.T, want map[string]int) {
	t.Helper()
	eventually(t, "the engine tells that all are removed", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return len(s.there) == 0 && len(s.count) > 0
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if !maps.Equal(s.count, want) {
		got, err := json.Marshal(s.count)
		must(t, err)
		t.Errorf("starts of containers: %s", got)
	}
}
