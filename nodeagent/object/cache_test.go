package object

import (
	"context"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"leme/nodeagent/apitest"
)

func configMap(value string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "cm", Namespace: "ns"}, Data: map[string]string{"k": value}}
}

// told waits until the cache has told a pod of a change.
func told(t *testing.T, changes <-chan types.UID, want types.UID) {
	t.Helper()
	select {
	case got := <-changes:
		if got != want {
			t.Errorf("%s was told, not %s", got, want)
		}
	case <-time.After(10 * time.Second):
		t.Fatalf("%s was told nothing", want)
	}
}

// TestCache: an object is watched from its first use on, its users are told of changes, and it is forgotten with its
// last user.
func TestCache(t *testing.T) {
	client, changes := apitest.New(configMap("1")), make(chan types.UID, 9)
	c := New(client, func(uid types.UID) { changes <- uid })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- c.Run(ctx) }()
	pod := c.For("pod")
	m, err := pod.ConfigMap(t.Context(), "ns", "cm")
	if err != nil || m.Data["k"] != "1" {
		t.Fatalf("%v, %v", m, err)
	}
	if _, err := pod.Secret(t.Context(), "ns", "none"); !apierrors.IsNotFound(err) || err.Error() != `secret "none" not found` {
		t.Errorf("a missing secret: %v", err)
	}
	if _, err := client.CoreV1().ConfigMaps("ns").Update(t.Context(), configMap("2"), metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	told(t, changes, "pod")
	if m, err := pod.ConfigMap(t.Context(), "ns", "cm"); err != nil || m.Data["k"] != "2" {
		t.Errorf("after the change: %v, %v", m, err)
	}
	if _, err := client.CoreV1().Secrets("ns").Create(t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "none", Namespace: "ns"}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	told(t, changes, "pod")
	if err := client.CoreV1().ConfigMaps("ns").Delete(t.Context(), "cm", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	told(t, changes, "pod")
	if _, err := pod.ConfigMap(t.Context(), "ns", "cm"); !apierrors.IsNotFound(err) {
		t.Errorf("after its deletion: %v", err)
	}
	c.Release("pod")
	if len(c.entries) != 0 {
		t.Errorf("left in the cache: %v", c.entries)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
