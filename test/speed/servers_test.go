package speed

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"leme/server/auth"
	"leme/test/loopback"
)

// server is one of those that are compared.
type server struct {
	name    string
	process *process
	etcd    *process // nil where it is in the process
	address string
	tls     *tls.Config // an administrator's
	created int         // pods
	changed int         // how often a pod was
}

// Whose a figure is.
const (
	shipped  = "leme"           // with etcd in its process
	outside  = "leme over etcd" // with etcd as kube-apiserver has it
	measured = "kube-apiserver"
	least    = "bare writes" // of a program that does nothing else
)

// start starts all servers, Leme's first.
func start(b *testing.B) []*server {
	b.Helper()
	p, err := build()
	if err != nil {
		b.Fatal(err)
	}
	all := []*server{startLeme(b, p, shipped, nil)}
	if p.problem != nil {
		b.Logf("There is nothing to compare with: %v", p.problem)
		return all
	}
	return append(all, startLeme(b, p, outside, startEtcd(b, p)), startPeer(b, p))
}

func startLeme(b *testing.B, p programs, name string, store *etcd) *server {
	b.Helper()
	dir := b.TempDir()
	address := loopback.Address(b)
	args := []string{"server", "--listen", address, "--advertise", "127.0.0.1", "--node-name", "speed"}
	s := &server{name: name, address: address}
	if store != nil {
		args = append(args, "--etcd-endpoints", store.url)
		s.etcd = store.process
	}
	s.process = run(b, dir, "leme", p.leme, args...)
	s.process.await(b, func(ctx context.Context) error {
		return s.ready(ctx, filepath.Join(dir, "kubeconfig"))
	})
	return s
}

// startPeer starts kube-apiserver with what it cannot do without, and with no service accounts: nobody makes them here.
func startPeer(b *testing.B, p programs) *server {
	b.Helper()
	store := startEtcd(b, p)
	dir := b.TempDir()
	pki, err := auth.OpenPKI(dir, []string{"127.0.0.1"})
	if err != nil {
		b.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	cert, key, err := pki.Issue(auth.NodePrefix+"peer", nil, []string{"127.0.0.1"}) // such a one is good for serving
	if err != nil {
		b.Fatal(err)
	}
	if err := errors.Join(os.WriteFile(in("peer.crt"), cert, 0o600), os.WriteFile(in("peer.key"), key, 0o600)); err != nil {
		b.Fatal(err)
	}
	address := loopback.Address(b)
	host, port, _ := net.SplitHostPort(address)
	if err := pki.WriteKubeconfig(in("kubeconfig"), "https://"+address, auth.AdminUser, []string{auth.GroupMasters}, nil); err != nil {
		b.Fatal(err)
	}
	s := &server{name: measured, address: address, etcd: store.process}
	s.process = run(b, dir, "kube-apiserver", p.kubeAPIServer,
		"--etcd-servers", store.url, "--bind-address", host, "--secure-port", port,
		"--tls-cert-file", in("peer.crt"), "--tls-private-key-file", in("peer.key"), "--client-ca-file", in("ca.crt"),
		"--service-account-issuer", "https://kubernetes.default.svc",
		"--service-account-key-file", in("peer.crt"), "--service-account-signing-key-file", in("peer.key"),
		"--service-cluster-ip-range", "10.0.0.0/24", "--authorization-mode", "Node,RBAC",
		"--disable-admission-plugins", "ServiceAccount")
	s.process.await(b, func(ctx context.Context) error { return s.ready(ctx, in("kubeconfig")) })
	return s
}

// etcd is one of the version that Leme embeds.
type etcd struct {
	process *process
	url     string
}

func startEtcd(b *testing.B, p programs) *etcd {
	b.Helper()
	dir := b.TempDir()
	client, peer := "http://"+loopback.Address(b), "http://"+loopback.Address(b)
	e := &etcd{url: client, process: run(b, dir, "etcd", p.etcd, "--name", "speed", "--data-dir", filepath.Join(dir, "data"),
		"--listen-client-urls", client, "--advertise-client-urls", client,
		"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "speed="+peer)}
	e.process.await(b, func(ctx context.Context) error { return answers(ctx, http.DefaultClient, client+"/health") })
	return e
}

// ready is nil once the server is, and there is a namespace to work in.
func (s *server) ready(ctx context.Context, kubeconfig string) error {
	if _, err := os.Stat(kubeconfig); err != nil {
		return err
	}
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	if s.tls, err = rest.TLSConfigFor(config); err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: s.tls.Clone(), DisableKeepAlives: true}}
	return errors.Join(answers(ctx, client, "https://"+s.address+"/readyz"),
		answers(ctx, client, "https://"+s.address+"/api/v1/namespaces/"+namespace))
}

func answers(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, response.Status)
	}
	return nil
}
