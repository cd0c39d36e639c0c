package auth

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"
)

func TestServerCertificateIsKeptUntilItMustChange(t *testing.T) {
	start := time.Now()
	for _, tt := range []struct {
		name  string
		hosts []string
		after time.Duration
		kept  bool
	}{
		{"same hosts", []string{"10.0.0.1", "master"}, 0, true},
		{"hosts in another order", []string{"master", "10.0.0.1"}, 0, true},
		{"another host", []string{"10.0.0.2", "master"}, 0, false},
		{"near its end", []string{"10.0.0.1", "master"}, leafLifetime - renewBefore + time.Hour, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			first, err := OpenPKI(dir, []string{"10.0.0.1", "master"})
			if err != nil {
				t.Fatal(err)
			}
			second, err := openPKI(dir, tt.hosts, func() time.Time { return start.Add(tt.after) })
			if err != nil {
				t.Fatal(err)
			}
			if string(first.CA()) != string(second.CA()) {
				t.Error("the authority was made anew")
			}
			if kept := first.server.leaf.Equal(second.server.leaf); kept != tt.kept {
				t.Errorf("kept = %v, want %v", kept, tt.kept)
			}
			if !second.server.covers(servingHosts(tt.hosts)) {
				t.Errorf("the certificate names %v %v", second.server.leaf.DNSNames, second.server.leaf.IPAddresses)
			}
		})
	}
}

func TestLostKeyOfTheAuthorityIsAnError(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenPKI(dir, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "ca.key")); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenPKI(dir, nil); err == nil {
		t.Fatal("a new authority was made over the old one's certificate")
	}
}

func TestKubeconfigAuthenticatesItsUser(t *testing.T) {
	dir := t.TempDir()
	pki, err := OpenPKI(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := OpenTokens(filepath.Join(dir, "tokens"))
	if err != nil {
		t.Fatal(err)
	}
	authn := NewAuthenticator(tokens)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", pki.ServerTLS())
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		u, _, err := authn.Authenticate(r)
		if err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(w, u.Name)
	})}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	url := "https://" + listener.Addr().String()

	path := filepath.Join(dir, "kubeconfig")
	if err := pki.WriteKubeconfig(path, url, "system:node:n1", []string{GroupNodes}, []string{"127.0.0.1"}); err != nil {
		t.Fatal(err)
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	config, err := clientcmd.LoadFromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	user := config.AuthInfos["n1"]
	pair, err := tls.X509KeyPair(user.ClientCertificateData, user.ClientKeyData)
	if err != nil {
		t.Fatal(err)
	}
	if err := pair.Leaf.VerifyHostname("n1"); err != nil {
		t.Error(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(config.Clusters[ClusterName].CertificateAuthorityData)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}}}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); string(body) != "system:node:n1" {
		t.Errorf("user %q", body)
	}
}
