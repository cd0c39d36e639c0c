package store_test

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	"go.etcd.io/etcd/server/v3/embed"

	"leme/server/auth"
	"leme/server/store"
	"leme/server/store/storetest"
)

// externalEtcd is an etcd of somebody else's, which only talks TLS and only to its CA's clients.
func externalEtcd(t *testing.T) (endpoint, ca, cert, key string) {
	t.Helper()
	dir := t.TempDir()
	pki, err := auth.OpenPKI(filepath.Join(dir, "pki"), []string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	certPEM, keyPEM, err := pki.Issue(auth.NodePrefix+"etcd", nil, []string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	ca, cert, key = filepath.Join(dir, "ca.crt"), filepath.Join(dir, "etcd.crt"), filepath.Join(dir, "etcd.key")
	for path, text := range map[string][]byte{ca: pki.CA(), cert: certPEM, key: keyPEM} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	e := storetest.NewEtcd(t, 1, func(c *embed.Config) {
		c.ListenClientUrls = []url.URL{{Scheme: "https", Host: "127.0.0.1:0"}}
		c.ClientTLSInfo = transport.TLSInfo{CertFile: cert, KeyFile: key, TrustedCAFile: ca, ClientCertAuth: true}
	})
	return "https://" + e.Endpoints()[0], ca, cert, key
}

func TestAnExistingEtcdOverTLS(t *testing.T) {
	endpoint, ca, cert, key := externalEtcd(t)
	config := store.Config{Endpoints: []string{endpoint}, CA: ca, Cert: cert, Key: key, Decode: storetest.Decode}
	one, other := storetest.Open(t, config), storetest.Open(t, config)
	put(t, one, keyOf("default", "a"), "1", 0)
	snapshot, err := other.Consistent(t.Context(), configMaps)
	if err != nil {
		t.Fatal(err)
	}
	if it := snapshot.Get("default", "a"); it == nil || value(t, it) != "1" {
		t.Errorf("a second server on the same etcd reads %+v", it)
	}
}

func TestAnEtcdThatRefusesIsNamed(t *testing.T) {
	endpoint, ca, _, _ := externalEtcd(t)
	var asking sync.WaitGroup // all at once: who gets no answer waits for it
	defer asking.Wait()
	for name, config := range map[string]store.Config{
		"no client certificate": {Endpoints: []string{endpoint}, CA: ca},
		"no CA":                 {Endpoints: []string{endpoint}},
		"nobody there":          {Endpoints: []string{"http://127.0.0.1:1"}},
		"half a certificate":    {Endpoints: []string{endpoint}, CA: ca, Cert: "x"},
	} {
		asking.Go(func() {
			config.Decode = storetest.Decode
			if _, err := store.Open(config); err == nil || !strings.Contains(err.Error(), "etcd") {
				t.Errorf("%s: got %v", name, err)
			}
		})
	}
}
