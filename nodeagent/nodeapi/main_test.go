package nodeapi_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"
	clienttesting "k8s.io/client-go/testing"

	"leme/nodeagent/docker/dockertest"
	"leme/nodeagent/localpath"
	"leme/nodeagent/nodeapi"
)

// node is a node with its API, and the pods that the test runs on it.
type node struct {
	*dockertest.Node
	api     *fake.Clientset // the cluster's, for reviews
	address string
	ca      *authority

	mu   sync.Mutex
	pods map[string]*corev1.Pod
	ids  map[string]string // of the one container of each pod
}

func newNode(t *testing.T) *node {
	t.Helper()
	n := &node{Node: dockertest.New(t), api: fake.NewClientset(), ca: newAuthority(t), pods: map[string]*corev1.Pod{}, ids: map[string]string{}}
	for _, resource := range []string{"tokenreviews", "subjectaccessreviews"} { // nobody is known, and may do anything
		n.api.PrependReactor("create", resource, func(a clienttesting.Action) (bool, runtime.Object, error) {
			return true, a.(clienttesting.CreateAction).GetObject(), nil
		})
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	n.address = listener.Addr().String()
	certificate, clientCA, err := nodeapi.Identity(&rest.Config{TLSClientConfig: n.ca.issue(t, "system:node:here", "system:nodes")})
	must(t, err)
	api, err := nodeapi.New(nodeapi.Config{
		Listener: listener, Node: "here", Certificate: certificate, ClientCA: clientCA, Pods: n, Runtime: n.Runtime, Volumes: localpath.Folder(t.TempDir()), Reviews: nodeapi.NewReviews(n.api),
		Version: version.Info{GitVersion: "v1.37.0"},
	})
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- api.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("Run ended with %v", err)
		}
	})
	return n
}

func (n *node) run(t *testing.T, p *corev1.Pod) string {
	t.Helper()
	id := n.Run(t, p)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.pods[p.Name], n.ids[p.Name] = p, id
	return id
}

// Lookup, ContainerID, List and Volumes are nodeapi.Pods.
func (n *node) Volumes(types.UID) map[string]string { return nil }

func (n *node) Lookup(_, name, uid string) (*corev1.Pod, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	p, ok := n.pods[name]
	return p, ok && (uid == "" || uid == string(p.UID))
}

func (n *node) ContainerID(_, name, container string, previous bool) (string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if container != "app" || previous {
		return "", apierrors.NewBadRequest("container " + container + " is not valid for pod " + name)
	}
	return n.ids[name], nil
}

func (n *node) List() []*corev1.Pod {
	n.mu.Lock()
	defer n.mu.Unlock()
	var all []*corev1.Pod
	for _, p := range n.pods {
		all = append(all, p)
	}
	return all
}

// server is how the cluster's server reaches the node.
func (n *node) server(t *testing.T) *rest.Config {
	t.Helper()
	return &rest.Config{Host: "https://" + n.address, TLSClientConfig: n.ca.issue(t, "system:leme-server")}
}

// get asks for a path under a client configuration.
func get(t *testing.T, c *rest.Config, path string) (code int, body string) {
	t.Helper()
	transport, err := rest.TransportFor(c)
	must(t, err)
	response, err := (&http.Client{Transport: transport}).Get(c.Host + path)
	must(t, err)
	defer response.Body.Close()
	all, err := io.ReadAll(response.Body)
	must(t, err)
	return response.StatusCode, string(all)
}

// authority is a CA of the test's own.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pem         []byte
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	certificate, err := x509.ParseCertificate(der)
	must(t, err)
	return &authority{certificate, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

// issue makes a certificate with which to serve on this machine and to be a client.
func (a *authority) issue(t *testing.T, name string, groups ...string) rest.TLSClientConfig {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name, Organization: groups},
		NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	must(t, err)
	keyDER, err := x509.MarshalECPrivateKey(key)
	must(t, err)
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER})
	_, err = tls.X509KeyPair(certPEM, keyPEM)
	must(t, err)
	return rest.TLSClientConfig{CertData: certPEM, KeyData: keyPEM, CAData: a.pem}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
