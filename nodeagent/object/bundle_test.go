package object

import (
	"context"
	"encoding/pem"
	"strings"
	"testing"

	certificatesv1 "k8s.io/api/certificates/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"leme/nodeagent/apitest"
)

func certificate(text string) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte(text)}))
}

func bundle(name, signer, label string, certificates ...string) *certificatesv1.ClusterTrustBundle {
	b := &certificatesv1.ClusterTrustBundle{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"l": label}}}
	b.Spec.SignerName = signer
	for _, c := range certificates {
		b.Spec.TrustBundle += certificate(c)
	}
	return b
}

// TestTrustAnchors: which certificates a volume's source gets, and when it is told of others.
func TestTrustAnchors(t *testing.T) {
	client, changes := apitest.New(bundle("roots", "", "", "b", "a"),
		bundle("s:1", "example.com/s", "x", "d", "c"), bundle("s:2", "example.com/s", "y", "c", "e")), make(chan types.UID, 9)
	c := New(client, func(uid types.UID) { changes <- uid })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- c.Run(ctx) }()
	pod := c.For("pod")
	signer, labelled := "example.com/s", func(l string) *metav1.LabelSelector {
		return &metav1.LabelSelector{MatchLabels: map[string]string{"l": l}}
	}
	type source = corev1.ClusterTrustBundleProjection
	for name, test := range map[string]struct {
		source source
		want   string // certificates, or an error
	}{
		"one":                {source{Name: new("roots")}, "a b"},
		"none":               {source{Name: new("x")}, `while getting ClusterTrustBundle: clustertrustbundle.certificates.k8s.io "x" not found`},
		"none, optional":     {source{Name: new("x"), Optional: new(true)}, ""},
		"all of a signer":    {source{SignerName: &signer, LabelSelector: &metav1.LabelSelector{}}, "c d e"},
		"some of a signer":   {source{SignerName: &signer, LabelSelector: labelled("y")}, "c e"},
		"without a selector": {source{SignerName: &signer}, "combination of signerName and labelSelector matched zero ClusterTrustBundles"},
		"no such":            {source{SignerName: &signer, LabelSelector: labelled("z"), Optional: new(true)}, ""},
	} {
		got, err := pod.TrustAnchors(t.Context(), &test.source)
		want := ""
		for _, letter := range strings.Fields(test.want) {
			want += certificate(letter)
		}
		if err != nil && err.Error() != test.want || err == nil && string(got) != want {
			t.Errorf("%s: got %s, %v", name, got, err)
		}
	}
	for len(changes) > 0 { // of the first list
		<-changes
	}
	if err := client.CertificatesV1().ClusterTrustBundles().Delete(t.Context(), "roots", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	told(t, changes, "pod")
	if _, err := pod.TrustAnchors(t.Context(), &source{Name: new("roots")}); err == nil {
		t.Error("a deleted bundle is still there")
	}
	c.Release("pod")
	if c.bundles.known != nil {
		t.Error("still watched")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestImmutable: what nobody can change is not watched, and stays while it is used.
func TestImmutable(t *testing.T) {
	fixed := configMap("1")
	fixed.Immutable = new(true)
	client := apitest.New(fixed)
	c := New(client, func(types.UID) {})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- c.Run(ctx) }()
	pod := c.For("pod")
	if m, err := pod.ConfigMap(t.Context(), "ns", "cm"); err != nil || m.Data["k"] != "1" {
		t.Fatalf("%v, %v", m, err)
	}
	finished := make(chan struct{})
	go func() { c.running.Wait(); close(finished) }()
	<-finished // its watch has ended, though the cache runs
	if m, err := pod.ConfigMap(t.Context(), "ns", "cm"); err != nil || m.Data["k"] != "1" {
		t.Errorf("then %v, %v", m, err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
