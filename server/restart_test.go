package server

import (
	"context"
	"fmt"
	"maps"
	"math"
	"net/url"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// TestReflectorOverRestarts: a client whose server ends in the middle of its events, again and again, has in the end
// what the server has, and was told of every end.
func TestReflectorOverRestarts(t *testing.T) {
	home := t.TempDir()
	s, stop := run(t, Config{Home: home, Listen: "127.0.0.1:0", Version: "test"})
	address, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	client := kubernetes.NewForConfigOrDie(clientConfig(t, filepath.Join(home, "kubeconfig")))
	told := follow(t, client)
	made := map[string]*corev1.ConfigMap{}
	for round := range 4 {
		for i := range 30 {
			change(t, client, made, fmt.Sprint("map-", (7*i+round)%20), i%3 == 2)
		}
		stop()
		_, stop = run(t, Config{Home: home, Listen: address.Host, Version: "test"})
	}
	defer stop()
	want := map[string]string{}
	for name, m := range made {
		want[name] = m.ResourceVersion
	}
	eventually(t, "the reflector has what there is", func() bool { return maps.Equal(told.now(), want) })
	if len(told.wrong) > 0 {
		t.Errorf("the client was told %q", told.wrong)
	}
}

// change creates, changes or deletes a config map.
func change(t *testing.T, client kubernetes.Interface, made map[string]*corev1.ConfigMap, name string, remove bool) {
	t.Helper()
	configMaps, old := client.CoreV1().ConfigMaps("default"), made[name]
	var err error
	switch {
	case old == nil:
		made[name], err = configMaps.Create(t.Context(), configMap(name, "1"), metav1.CreateOptions{})
	case remove:
		err = configMaps.Delete(t.Context(), name, metav1.DeleteOptions{})
		delete(made, name)
	default:
		next := old.DeepCopy()
		next.Data["key"] += "1"
		made[name], err = configMaps.Update(t.Context(), next, metav1.UpdateOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// account is what a reflector was told: the version of each config map, and what cannot be true. It is the
// cache.ReflectorStore that the reflector fills.
type account struct {
	mu       sync.Mutex
	versions map[string]string
	wrong    []string
}

// follow starts a reflector on the config maps that change makes: what every informer is made of, but one that does not
// wait long before it tries again.
func follow(t *testing.T, client kubernetes.Interface) *account {
	t.Helper()
	a, configMaps := &account{versions: map[string]string{}}, client.CoreV1().ConfigMaps("default")
	lw := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			return configMaps.List(ctx, o)
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			return configMaps.Watch(ctx, o)
		},
	}
	r := cache.NewReflectorWithOptions(cache.ToListWatcherWithWatchListSemantics(lw, client), &corev1.ConfigMap{}, a,
		cache.ReflectorOptions{Backoff: &wait.Backoff{Duration: 10 * time.Millisecond, Factor: 1, Steps: math.MaxInt}})
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { r.RunWithContext(ctx) })
	t.Cleanup(func() { cancel(); running.Wait() })
	return a
}

func (a *account) Add(o any) error    { a.tell(o, false); return nil }
func (a *account) Update(o any) error { a.tell(o, false); return nil }
func (a *account) Delete(o any) error { a.tell(o, true); return nil }
func (a *account) Resync() error      { return nil }

func (a *account) Replace(all []any, _ string) error {
	a.mu.Lock()
	gone := maps.Clone(a.versions)
	a.mu.Unlock()
	for _, o := range all {
		a.tell(o, false)
		delete(gone, o.(*corev1.ConfigMap).Name)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for name := range gone {
		delete(a.versions, name)
	}
	return nil
}

func (a *account) tell(o any, gone bool) {
	m := o.(*corev1.ConfigMap)
	if m.Name == "kube-root-ca.crt" { // every namespace has it
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	old, known := a.versions[m.Name]
	before, _ := strconv.ParseInt(old, 10, 64)
	now, err := strconv.ParseInt(m.ResourceVersion, 10, 64)
	if err != nil || now < before || gone && !known {
		a.wrong = append(a.wrong, fmt.Sprintf("%s is at %s, gone: %v; before it was at %q", m.Name, m.ResourceVersion, gone, old))
	}
	if a.versions[m.Name] = m.ResourceVersion; gone {
		delete(a.versions, m.Name)
	}
}

func (a *account) now() map[string]string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return maps.Clone(a.versions)
}
