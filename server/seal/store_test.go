package seal_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"leme/server/seal"
	"leme/server/store"
	"leme/server/store/storetest"
)

var (
	gvk     = corev1.SchemeGroupVersion.WithKind("Secret")
	secrets = schema.GroupResource{Resource: "secrets"}
)

func key(name string) store.Key {
	return store.Key{GroupResource: secrets, Namespace: "default", Name: name}
}

// cluster is a data folder and a file of keys, which outlive the stores over them.
type cluster struct{ dir, keys string }

func newCluster(t *testing.T) cluster {
	dir := t.TempDir()
	return cluster{dir: dir, keys: filepath.Join(dir, "keys")}
}

func (c cluster) config(t *testing.T, write bool) store.Config {
	t.Helper()
	load := seal.Load
	if write {
		load = seal.LoadOrCreate
	}
	keys, err := load(c.keys)
	if err != nil {
		t.Fatal(err)
	}
	return store.Config{DataDir: filepath.Join(c.dir, "etcd"), NoSync: true, Decode: storetest.Decode, Sealer: seal.New(keys, write)}
}

// with runs a store over the cluster for as long as fn takes.
func (c cluster) with(t *testing.T, name string, write bool, fn func(t *testing.T, s *store.Store)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { fn(t, storetest.Open(t, c.config(t, write))) })
}

// rotate puts a new key on top.
func (c cluster) rotate(t *testing.T, keep bool) {
	t.Helper()
	raw := make([]byte, 32)
	_, _ = rand.Read(raw)
	text := base64.StdEncoding.EncodeToString(raw) + "\n"
	if keep {
		old, err := os.ReadFile(c.keys)
		if err != nil {
			t.Fatal(err)
		}
		text += string(old)
	}
	if err := os.WriteFile(c.keys, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, s *store.Store, name, password string) {
	t.Helper()
	raw, err := store.Encode(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}, StringData: map[string]string{"password": password},
	}, gvk)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Commit(t.Context(), store.Op{Key: key(name), Value: raw}); err != nil {
		t.Fatal(err)
	}
}

// cached checks that readers see the plain object.
func cached(t *testing.T, s *store.Store, name, password string) {
	t.Helper()
	it := s.Snapshot(secrets).Get("default", name)
	if it == nil || !bytes.Contains(it.JSON, []byte(password)) {
		t.Errorf("%s is not there in plain: %+v", name, it)
	}
}

func inEtcd(t *testing.T, s *store.Store, name string) string {
	t.Helper()
	r, err := s.Client().Get(t.Context(), key(name).String())
	if err != nil || len(r.Kvs) != 1 {
		t.Fatalf("got %v, %v", r, err)
	}
	return string(r.Kvs[0].Value)
}

// scheme is how a stored value starts: the algorithm and the key.
func scheme(stored string) string { return strings.Join(strings.SplitN(stored, ":", 6)[:5], ":") }

func TestSecretsAreSealedInEtcd(t *testing.T) {
	c := newCluster(t)
	c.with(t, "in plain", false, func(t *testing.T, s *store.Store) {
		put(t, s, "old", "swordfish")
		if !strings.Contains(inEtcd(t, s, "old"), "swordfish") {
			t.Error("sealed without being asked to")
		}
	})
	var first string
	c.with(t, "sealed", true, func(t *testing.T, s *store.Store) {
		put(t, s, "new", "opensesame")
		first = scheme(inEtcd(t, s, "new"))
		if n, err := s.Reseal(t.Context(), secrets); n != 1 || err != nil {
			t.Errorf("%d sealed anew, %v", n, err)
		}
		for name, password := range map[string]string{"old": "swordfish", "new": "opensesame"} {
			cached(t, s, name, password)
			if stored := inEtcd(t, s, name); scheme(stored) != first || !strings.HasPrefix(first, "k8s:enc:aesgcm:v1:") || strings.Contains(stored, password) {
				t.Errorf("%s is in etcd as %q", name, stored)
			}
		}
		if n, _ := s.Reseal(t.Context(), secrets); n != 0 {
			t.Errorf("%d sealed anew again", n)
		}
	})
	c.rotate(t, true)
	c.with(t, "with another key", true, func(t *testing.T, s *store.Store) {
		cached(t, s, "old", "swordfish")
		if n, err := s.Reseal(t.Context(), secrets); n != 2 || err != nil {
			t.Errorf("%d sealed anew, %v", n, err)
		}
		cached(t, s, "old", "swordfish")
		if scheme(inEtcd(t, s, "old")) == first {
			t.Error("it has its old key")
		}
	})
	c.with(t, "in plain again", false, func(t *testing.T, s *store.Store) {
		if n, err := s.Reseal(t.Context(), secrets); n != 2 || err != nil || !strings.Contains(inEtcd(t, s, "old"), "swordfish") {
			t.Errorf("%d written in plain, %v", n, err)
		}
	})
}

func TestSwappedSecretsAreNotBelieved(t *testing.T) {
	s := storetest.Open(t, newCluster(t).config(t, true))
	put(t, s, "mine", "swordfish")
	put(t, s, "yours", "opensesame")
	r, err := s.Client().Txn(t.Context()).Then(clientv3.OpPut(key("mine").String(), inEtcd(t, s, "yours"))).Commit()
	if err != nil {
		t.Fatal(err)
	}
	put(t, s, "after", "x") // once this is in the cache, so would be what came before
	if it := s.Snapshot(secrets).Get("default", "mine"); it != nil && (it.Revision == r.Header.Revision || bytes.Contains(it.JSON, []byte("opensesame"))) {
		t.Errorf("the cache has %s", it.JSON)
	}
}

func TestNothingRunsWithoutItsKeys(t *testing.T) {
	c := newCluster(t)
	c.with(t, "sealed", true, func(t *testing.T, s *store.Store) { put(t, s, "old", "swordfish") })
	c.rotate(t, false)
	s, err := store.Open(c.config(t, true))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Run(context.Background()); !errors.Is(err, store.ErrNoKey) || !strings.Contains(err.Error(), "/secrets/default/old") {
		t.Errorf("got %v", err)
	}
}

func TestNothingRunsOnWithoutItsKeys(t *testing.T) {
	s, err := store.Open(newCluster(t).config(t, true))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Run(context.Background()) }()
	<-s.Ready()
	if _, err := s.Client().Put(t.Context(), key("alien").String(), "k8s:enc:aesgcm:v1:0123456789abcdef:whatever"); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, store.ErrNoKey) {
		t.Errorf("got %v", err)
	}
}
