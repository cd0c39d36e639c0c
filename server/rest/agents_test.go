package rest

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"leme/server/auth"
	"leme/server/kind"
	"leme/server/resource"
)

// newAgentBed is a bed with a node n1 whose agent is the handler, and the pods "single" and "double" on it, "waiting" on none.
func newAgentBed(t *testing.T, agent http.Handler) *bed {
	t.Helper()
	pki, err := auth.OpenPKI(t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	cert, key, err := pki.Issue(auth.NodePrefix+"n1", []string{auth.GroupNodes}, nil)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(agent)
	server.TLS = pki.ServerTLS()
	server.TLS.GetCertificate, server.TLS.Certificates = nil, []tls.Certificate{pair}
	server.TLS.ClientAuth = tls.RequireAndVerifyClientCert
	server.StartTLS()
	t.Cleanup(server.Close)

	b := newBed(t, pki.ClientTLS())
	nodes := resource.For[*corev1.Node](b.api, kind.Node, "test")
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1"}}
	node.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "127.0.0.1"}}
	node.Status.DaemonEndpoints.KubeletEndpoint.Port = int32(server.Listener.Addr().(*net.TCPAddr).Port)
	if _, err := nodes.Create(t.Context(), node); err != nil {
		t.Fatal(err)
	}
	b.pod(t, "single", "n1", "web")
	b.pod(t, "double", "n1", "web", "side")
	b.pod(t, "lost", "n2", "web")
	b.pod(t, "waiting", "", "web")
	return b
}

func (b *bed) pod(t *testing.T, name, node string, containers ...string) {
	t.Helper()
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}, Spec: corev1.PodSpec{NodeName: node}}
	for _, c := range containers {
		pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{Name: c, Image: "web:1"})
	}
	if _, err := resource.For[*corev1.Pod](b.api, kind.Pod, "test").Create(t.Context(), pod); err != nil {
		t.Fatal(err)
	}
}

// tell is an agent that answers with what it was asked, and by whom.
func tell(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "" {
		http.Error(w, "credentials were passed on", http.StatusInternalServerError)
		return
	}
	if strings.HasSuffix(r.URL.Path, "/side") {
		http.Error(w, `container "side" in pod "double" is waiting to start: ContainerCreating`, http.StatusBadRequest)
		return
	}
	fmt.Fprintf(w, "%s %s by %s", r.Method, r.URL, r.TLS.PeerCertificates[0].Subject.CommonName)
}

func TestPodLogAndProxies(t *testing.T) {
	b := newAgentBed(t, http.HandlerFunc(tell))
	const pods = "/api/v1/namespaces/default/pods/"
	for _, tt := range []struct {
		request string
		code    int
		want    string
	}{
		{"GET " + pods + "single/log", 200, "GET /containerLogs/default/single/web by system:leme-server"},
		{"GET " + pods + "single/log?tailLines=5&timestamps=true&nothing=1", 200, "GET /containerLogs/default/single/web?tailLines=5&timestamps=true by"},
		{"GET " + pods + "double/log?container=web&follow=1", 200, "GET /containerLogs/default/double/web?follow=1 by"},
		{"GET " + pods + "double/log", 400, "a container name must be specified for pod double, choose one of: [web side]"},
		{"GET " + pods + "double/log?container=side", 400, `container \"side\" in pod \"double\" is waiting to start: ContainerCreating`},
		{"GET " + pods + "single/log?container=other", 400, "container other is not valid for pod single"},
		{"GET " + pods + "single/log?tailLines=-1", 400, "tailLines: Invalid value"},
		{"GET " + pods + "single/log?sinceTime=today", 400, "sinceTime: Invalid value"},
		{"GET " + pods + "waiting/log", 400, "pod waiting does not have a host assigned"},
		{"GET " + pods + "nothing/log", 404, `pods \"nothing\" not found`},
		{"GET " + pods + "lost/log", 404, `nodes \"n2\" not found`},
		{"POST " + pods + "single/log", 405, "MethodNotAllowed"},
		{"POST " + pods + "single/exec?stdout=1", 400, "you must specify at least one command for the container"},
		{"POST " + pods + "single/exec?command=ls", 400, "you must specify at least 1 of stdin, stdout, stderr"},
		{"POST " + pods + "single/exec?command=ls&stdout=1", 400, "Upgrade request required"},
		{"POST " + pods + "waiting/attach?stdout=1", 400, "does not have a host assigned"},
		{"GET " + pods + "single/proxy/", 400, "does not have an IP address yet"},
		{"GET /api/v1/nodes/n1/proxy/healthz?verbose=1", 200, "GET /healthz?verbose=1 by system:leme-server"},
		{"PUT /api/v1/nodes/n1/proxy/a/b/", 200, "PUT /a/b/ by"},
		{"GET /api/v1/nodes/n1:22/proxy/", 400, "not 22"},
		{"GET /api/v1/nodes/n3/proxy/", 404, `nodes \"n3\" not found`},
	} {
		t.Run(tt.request, func(t *testing.T) {
			code, _, body := b.do(t, tt.request, "", "Authorization: Bearer secret")
			if code != tt.code || !strings.Contains(body, tt.want) {
				t.Errorf("%d %s\nwant %d %s", code, body, tt.code, tt.want)
			}
		})
	}
}

// TestUpgradesPassThrough: after the 101 every byte goes both ways untouched, whatever the protocol is.
func TestUpgradesPassThrough(t *testing.T) {
	asked := make(chan string, 1)
	b := newAgentBed(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.String()
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		fmt.Fprintf(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n", r.Header.Get("Upgrade"))
		_ = rw.Flush()
		line, _ := rw.ReadString('\n')
		_, _ = rw.WriteString("heard " + line)
		_ = rw.Flush()
	}))
	for _, tt := range []struct{ path, protocol, want string }{
		{"pods/single/exec?command=sh&command=-c&stdin=true&stdout=true&tty=true", "SPDY/3.1", "/exec/default/single/web?command=sh&command=-c&input=1&output=1&tty=1"},
		{"pods/double/attach?container=side&stderr=true&stdin=false", "websocket", "/attach/default/double/side?error=1"},
		{"pods/single/portforward?ports=80", "websocket", "/portForward/default/single?ports=80"},
	} {
		t.Run(tt.path, func(t *testing.T) {
			conn, err := net.Dial("tcp", strings.TrimPrefix(b.url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			fmt.Fprintf(conn, "GET /api/v1/namespaces/default/%s HTTP/1.1\r\nHost: leme\r\nConnection: Upgrade\r\nUpgrade: %s\r\nX-User: admin\r\nX-Group: system:masters\r\n\r\n", tt.path, tt.protocol)
			in := bufio.NewReader(conn)
			resp, err := http.ReadResponse(in, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if resp.StatusCode != http.StatusSwitchingProtocols || resp.Header.Get("Upgrade") != tt.protocol {
				body, _ := io.ReadAll(resp.Body)
				t.Fatalf("%s %v %s", resp.Status, resp.Header, body)
			}
			if got := <-asked; got != tt.want {
				t.Errorf("the agent was asked for %s, want %s", got, tt.want)
			}
			fmt.Fprintf(conn, "hello\n")
			if line, _ := in.ReadString('\n'); line != "heard hello\n" {
				t.Errorf("got %q", line)
			}
		})
	}
}

func TestPodProxy(t *testing.T) {
	for _, tt := range []struct {
		in, scheme, name, port string
		ok                     bool
	}{
		{"p", "http", "p", "", true},
		{"p:80", "http", "p", "80", true},
		{"https:p:web", "https", "p", "web", true},
		{":p:", "http", "p", "", true},
		{"ftp:p:1", "", "", "", false},
		{"a:b:c:d", "", "", "", false},
		{":80", "", "", "", false},
	} {
		scheme, name, port, ok := splitTarget(tt.in)
		if ok != tt.ok || ok && (scheme != tt.scheme || name != tt.name || port != tt.port) {
			t.Errorf("%s: %s %s %s %v", tt.in, scheme, name, port, ok)
		}
	}
	pod := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Ports: []corev1.ContainerPort{{Name: "web", ContainerPort: 8080}}}}}}
	for in, want := range map[string]string{"": "8080", "web": "8080", "9": "9"} {
		if got := podPort(pod, in); got != want {
			t.Errorf("port %q is %s, want %s", in, got, want)
		}
	}
}

// A service's proxy goes to a ready pod behind it, and nowhere else, whatever the endpoints say.
func TestServiceProxy(t *testing.T) {
	b := newAgentBed(t, http.HandlerFunc(tell))
	address := ownAddress(t)
	listener, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
	if err != nil {
		t.Fatal(err)
	}
	backend := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "%s %s", r.Method, r.URL) }))
	backend.Listener = listener
	backend.Start()
	defer backend.Close()
	port := int32(backend.Listener.Addr().(*net.TCPAddr).Port)
	if _, err := resource.For[*corev1.Pod](b.api, kind.Pod, "test").UpdateStatus(t.Context(), "default", "single", func(p *corev1.Pod) error {
		p.Status.PodIP, p.Status.PodIPs = address, []corev1.PodIP{{IP: address}}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	service := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web"}}
	service.Spec.ClusterIP, service.Spec.ClusterIPs = corev1.ClusterIPNone, []string{corev1.ClusterIPNone}
	service.Spec.Ports = []corev1.ServicePort{{Name: "http", Port: 80}, {Name: "other", Port: 81}}
	if _, err := resource.For[*corev1.Service](b.api, kind.Service, "test").Create(t.Context(), service); err != nil {
		t.Fatal(err)
	}
	endpoint := func(pod, address string, ready bool) discoveryv1.Endpoint {
		return discoveryv1.Endpoint{
			Addresses: []string{address}, Conditions: discoveryv1.EndpointConditions{Ready: &ready},
			TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: "default", Name: pod},
		}
	}
	list := &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Namespace: "default", Name: "web-1", Labels: map[string]string{discoveryv1.LabelServiceName: "web"}},
		AddressType: discoveryv1.AddressTypeIPv4,
		Ports:       []discoveryv1.EndpointPort{{Name: ptr.To("http"), Port: &port}},
		Endpoints: []discoveryv1.Endpoint{
			endpoint("single", address, true), endpoint("double", "192.0.2.2", true), endpoint("single", "192.0.2.3", true), endpoint("lost", "192.0.2.4", false),
		},
	}
	if _, err := resource.For[*discoveryv1.EndpointSlice](b.api, kind.EndpointSlice, "test").Create(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	const services = "/api/v1/namespaces/default/services/"
	for _, tt := range []struct {
		request string
		code    int
		want    string
	}{
		{"GET " + services + "web:http/proxy/a/b?c=d", 200, "GET /a/b?c=d"},
		{"POST " + services + "http:web:80/proxy/", 200, "POST /"},
		{"GET " + services + "web:81/proxy/", 503, `no endpoints available for service \"web\"`},
		{"GET " + services + "web:82/proxy/", 503, `no service port 82 found for service \"web\"`},
		{"GET " + services + "web/proxy/", 503, `no endpoints available for service \"web\"`},
		{"GET " + services + "nobody:80/proxy/", 404, `services \"nobody\" not found`},
		{"GET " + services + "ftp:web:80/proxy/", 400, "invalid service request"},
	} {
		for range 5 { // endpoints are chosen at random
			if code, _, body := b.do(t, tt.request, ""); code != tt.code || !strings.Contains(body, tt.want) {
				t.Errorf("%s: %d %s, want %d %s", tt.request, code, body, tt.code, tt.want)
			}
		}
	}
}

// ownAddress is one of this machine's that is no loopback, which endpoints may not be.
func ownAddress(t *testing.T) string {
	t.Helper()
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if ip, ok := a.(*net.IPNet); ok && ip.IP.To4() != nil && ip.IP.IsGlobalUnicast() {
			return ip.IP.String()
		}
	}
	t.Skip("this machine has no address but the loopback")
	return ""
}
