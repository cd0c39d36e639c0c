package staticpod

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

const manifest = `
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec: {containers: [{name: c, image: hello}]}
`

func prepare(p *corev1.Pod) error {
	if len(p.Spec.Containers) == 0 {
		return errors.New("spec.containers: Required value")
	}
	return nil
}

// TestDecode: what becomes of a file's text.
func TestDecode(t *testing.T) {
	p, err := decode([]byte(manifest), "/m/web.yaml", "Node-1", prepare)
	if err != nil {
		t.Fatal(err)
	}
	if p.Name != "web-node-1" || p.Namespace != "default" || p.Spec.NodeName != "Node-1" || p.Status.Phase != corev1.PodPending {
		t.Errorf("got %+v", p)
	}
	if len(p.UID) != 32 || p.Annotations[HashAnnotation] != string(p.UID) || p.Annotations[sourceAnnotation] != "file" {
		t.Errorf("UID %s, annotations %v", p.UID, p.Annotations)
	}
	if p.Spec.PriorityClassName != "system-node-critical" || *p.Spec.Priority != 2000001000 {
		t.Errorf("priority %s %v", p.Spec.PriorityClassName, p.Spec.Priority)
	}
	if want := (corev1.Toleration{Operator: "Exists", Effect: "NoExecute"}); len(p.Spec.Tolerations) != 1 || p.Spec.Tolerations[0] != want {
		t.Errorf("tolerations %v", p.Spec.Tolerations)
	}
	for name, other := range map[string][3]string{
		"text": {strings.Replace(manifest, "hello", "bye", 1), "/m/web.yaml", "Node-1"},
		"file": {manifest, "/m/other.yaml", "Node-1"},
		"node": {manifest, "/m/web.yaml", "node-2"},
	} {
		if q, err := decode([]byte(other[0]), other[1], other[2], prepare); err != nil || q.UID == p.UID {
			t.Errorf("another %s gives UID %s, %v", name, q.UID, err)
		}
	}
	if q, err := decode([]byte(manifest), "/m/web.yaml", "Node-1", prepare); err != nil || q.UID != p.UID {
		t.Errorf("the same again gives UID %s, %v", q.UID, err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"{": "couldn't parse as pod",
		"apiVersion: v1\nkind: Service\nmetadata: {name: a}":                                "invalid pod: it is a Service",
		"apiVersion: v9\nkind: Pod":                                                         "couldn't parse as pod",
		"apiVersion: v1\nkind: Pod\nspec: {containers: [{name: c}]}":                        "name is needed for the pod",
		"apiVersion: v1\nkind: Pod\nmetadata: {name: a}":                                    "spec.containers: Required value",
		"apiVersion: v1\nkind: Pod\nmetadata: {name: A_}\nspec: {containers: [{name: c}]}":  "metadata.name: Invalid value",
		"apiVersion: v1\nkind: Pod\nmetadata: {name: a, uid: ../a}\nspec: {containers: []}": "names no directory",
	} {
		if p, err := decode([]byte(text), "f", "n", prepare); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngives %v, %v", text, p, err)
		}
	}
}

// folder is a source whose pods and complaints are told.
type folder struct {
	t     *testing.T
	path  string
	sets  chan []*corev1.Pod
	wrong chan string
}

func newFolder(t *testing.T, path string) *folder {
	f := &folder{t: t, path: path, sets: make(chan []*corev1.Pod, 99), wrong: make(chan string, 99)}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	s := Source{Path: path, Node: "n1", Prepare: prepare, Wrong: func(m string) { f.wrong <- m }, Logger: slog.New(slog.DiscardHandler)}
	go func() { ended <- s.Run(ctx, func(pods []*corev1.Pod) { f.sets <- pods }) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return f
}

func (f *folder) write(name, text string) {
	f.t.Helper()
	if err := os.WriteFile(filepath.Join(f.path, name), []byte(text), 0o600); err != nil {
		f.t.Fatal(err)
	}
}

// until waits for a set of pods of these names.
func (f *folder) until(names ...string) []*corev1.Pod {
	f.t.Helper()
	deadline := time.After(10 * time.Second)
	var got []string
	for {
		select {
		case pods := <-f.sets:
			got = nil
			for _, p := range pods {
				got = append(got, p.Name)
			}
			if fmt.Sprint(got) == fmt.Sprint(names) {
				return pods
			}
		case <-deadline:
			f.t.Fatalf("got %v, want %v", got, names)
		}
	}
}

func (f *folder) complains(want string) {
	f.t.Helper()
	select {
	case got := <-f.wrong:
		if !strings.Contains(got, want) {
			f.t.Errorf("told %q, not %q", got, want)
		}
	case <-time.After(10 * time.Second):
		f.t.Fatalf("nothing is told of %s", want)
	}
}

// TestFolder: files come, change, go wrong and go, and what is wrong is told once.
func TestFolder(t *testing.T) {
	f := newFolder(t, t.TempDir())
	f.until()
	f.write(".hidden", manifest)
	f.write("web.yaml", manifest)
	first := f.until("web-n1")[0]
	f.write("second.json", `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"second"},"spec":{"containers":[{"name":"c"}]}}`)
	if again := f.until("second-n1", "web-n1")[1]; again != first {
		t.Error("an unchanged file gives another pod")
	}
	f.write("web.yaml", strings.Replace(manifest, "hello", "bye", 1))
	if changed := f.until("second-n1", "web-n1")[1]; changed.UID == first.UID || changed.Spec.Containers[0].Image != "bye" {
		t.Errorf("the changed file gives %s", changed.UID)
	}
	f.write("web.yaml", "kind: Nothing")
	f.complains("web.yaml cannot be used: couldn't parse as pod")
	if err := os.Remove(filepath.Join(f.path, "second.json")); err != nil {
		t.Fatal(err)
	}
	f.until("web-n1") // what ran goes on
	if err := os.Remove(filepath.Join(f.path, "web.yaml")); err != nil {
		t.Fatal(err)
	}
	f.until()
}

// TestReader: what can be read of folders and files that are not as they should be.
func TestReader(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "manifests")
	var told []string
	s := Source{Path: dir, Node: "n1", Prepare: prepare, Wrong: func(m string) { told = append(told, m) }, Logger: slog.New(slog.DiscardHandler)}
	r := reader{Source: s, good: map[string]*corev1.Pod{}, told: map[string]string{}}
	read := func() string {
		pods, ok := r.read(time.Now())
		var names []string
		for _, p := range pods {
			names = append(names, p.Name)
		}
		return fmt.Sprint(ok, names)
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := read() + read(); got != "true []true []" || len(told) != 1 || !strings.Contains(told[0], "does not exist") {
		t.Errorf("without its folder: %s, told %q", got, told)
	}
	if err := os.MkdirAll(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	write("web.yaml", manifest)
	if got := read() + read(); got != "true [web-n1]true [web-n1]" || len(told) != 2 || !strings.Contains(told[1], "not a regular file") {
		t.Errorf("with a folder in it: %s, told %q", got, told)
	}
	write("zz.yaml", manifest)
	if got := read() + read(); got != "true [web-n1]true [web-n1]" || len(told) != 3 || !strings.Contains(told[2], "zz.yaml cannot be used: its pod default/web-n1 is that of") {
		t.Errorf("one pod twice: %s, told %q", got, told)
	}
	write("zz.yaml", strings.Repeat("x", maxManifest+1))
	if read(); len(told) != 4 || !strings.Contains(told[3], "more than 10485760 bytes") {
		t.Errorf("too large: told %q", told[3:])
	}
	write("web.yaml", "broken: {")
	if got := read() + read(); got != "true [web-n1]true [web-n1]" || len(told) != 5 {
		t.Errorf("gone wrong: %s, told %q", got, told)
	}
	r.Path = filepath.Join(dir, "web.yaml")
	write("web.yaml", manifest)
	if got := read(); got != "true [web-n1]" {
		t.Errorf("one file: %s", got)
	}
}

// FuzzDecode: whatever a file says, what comes of it is a pod of this node whose UID can name a directory.
func FuzzDecode(f *testing.F) {
	f.Add(manifest)
	f.Add(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a","uid":"..","namespace":"x"},"spec":{"containers":[{"name":"c"}]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		p, err := decode([]byte(text), "/m/f.yaml", "n1", prepare)
		if err != nil {
			return
		}
		if p.Spec.NodeName != "n1" || !strings.HasSuffix(p.Name, "-n1") || p.Namespace == "" || p.Annotations[HashAnnotation] != string(p.UID) {
			t.Errorf("the pod %+v", p)
		}
		if uid := string(p.UID); uid == "" || filepath.Base(uid) != uid || !filepath.IsLocal(uid) {
			t.Errorf("UID %q names no directory", uid)
		}
	})
}
