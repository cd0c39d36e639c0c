package nodeapi

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"

	"github.com/gorilla/websocket"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	tunnel "k8s.io/client-go/tools/portforward"
	"k8s.io/cri-streaming/pkg/streaming/portforward"

	"leme/nodeagent/pod"
)

// portForward serves connections to ports inside a pod, over SPDY, over the older WebSocket channels, or over SPDY
// tunnelled through a WebSocket, which is what kubectl proposes and kube-apiserver takes apart for its kubelets.
func (s *Server) portForward(w http.ResponseWriter, r *http.Request) {
	namespace, name := r.PathValue("namespace"), r.PathValue("pod")
	p, ok := s.Pods.Lookup(namespace, name, r.PathValue("uid"))
	if !ok {
		writeStatus(w, notFound(namespace, name))
		return
	}
	tunnelled := websocket.IsWebSocketUpgrade(r) &&
		slices.Contains(websocket.Subprotocols(r), portforward.WebsocketsSPDYTunnelingPortForwardV1)
	options := &portforward.V4Options{}
	if !tunnelled {
		var err error
		if options, err = portforward.NewV4Options(withPort(r)); err != nil {
			writeStatus(w, apierrors.NewBadRequest(err.Error()))
			return
		}
	}
	w, r, end := bound(w, r)
	defer end()
	if tunnelled {
		if w, r, ok = untunnel(w, r); !ok {
			return
		}
	}
	f := &forwarder{ctx: r.Context(), pod: p, observer: s.Runtime}
	portforward.ServePortForward(w, r, f, name, string(p.UID), options, idleTimeout, creationTimeout, portforward.SupportedProtocols)
}

// withPort names the ports as kubelets do where the request names them as the pods' API does.
func withPort(r *http.Request) *http.Request {
	q := r.URL.Query()
	if ports := q["ports"]; len(ports) > 0 && !q.Has(portforward.PortHeader) {
		q[portforward.PortHeader] = ports
		r = r.Clone(r.Context())
		r.URL.RawQuery = q.Encode()
	}
	return r
}

// forwarder connects to the ports of one pod for as long as its request's connection stands.
type forwarder struct {
	ctx      context.Context
	pod      *corev1.Pod
	observer Observer
}

// PortForward implements portforward.PortForwarder.
func (f *forwarder) PortForward(_ context.Context, _, _ string, port int32, stream io.ReadWriteCloser) error {
	conn, err := f.dial(strconv.Itoa(int(port)))
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(f.ctx, func() { conn.Close() })()
	go func() {
		io.Copy(conn, stream) //nolint:errcheck // either side's end is the end of this direction
		if c, ok := conn.(*net.TCPConn); ok {
			c.CloseWrite() //nolint:errcheck // closed by now, or closed below
		}
	}()
	if _, err := io.Copy(stream, conn); err != nil && f.ctx.Err() == nil {
		return fmt.Errorf("copying from port %d: %w", port, err)
	}
	return nil
}

func (f *forwarder) dial(port string) (net.Conn, error) {
	if f.pod.Spec.HostNetwork {
		return dialLoopback(f.ctx, port)
	}
	sandbox, err := f.sandbox()
	if err != nil {
		return nil, err
	}
	return dialInNetworkOf(f.ctx, sandbox.PID, port)
}

func (f *forwarder) sandbox() (pod.Container, error) {
	all, err := f.observer.PodContainers(f.ctx, f.pod.UID)
	if err != nil {
		return pod.Container{}, err
	}
	for _, c := range all {
		if c.Sandbox && c.State == pod.Running {
			return c, nil
		}
	}
	return pod.Container{}, fmt.Errorf("pod %s/%s is not running", f.pod.Namespace, f.pod.Name)
}

var tunnelUpgrader = websocket.Upgrader{
	Subprotocols: []string{portforward.WebsocketsSPDYTunnelingPortForwardV1},
	CheckOrigin:  upgrader.CheckOrigin,
}

// untunnel accepts a WebSocket that carries SPDY, and gives a request and a writer for which upgrading to SPDY means
// to speak it through that.
func untunnel(w http.ResponseWriter, r *http.Request) (http.ResponseWriter, *http.Request, bool) {
	conn, err := tunnelUpgrader.Upgrade(w, r, nil)
	if err != nil {
		return nil, nil, false // the upgrader has answered
	}
	inner := r.Clone(r.Context())
	inner.Header = http.Header{
		"Connection":                {"Upgrade"},
		"Upgrade":                   {"SPDY/3.1"},
		"X-Stream-Protocol-Version": {portforward.ProtocolV1Name},
	}
	return &tunnelWriter{conn: tunnel.NewTunnelingConnection("server", conn), header: http.Header{}}, inner, true
}

// tunnelWriter stands for a connection on which the answer to the inner upgrade was given already.
type tunnelWriter struct {
	conn   net.Conn
	header http.Header
}

func (t *tunnelWriter) Header() http.Header         { return t.header }
func (t *tunnelWriter) WriteHeader(int)             {}
func (t *tunnelWriter) Write(p []byte) (int, error) { return len(p), nil }

// Hijack gives the tunnel.
func (t *tunnelWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return t.conn, bufio.NewReadWriter(bufio.NewReader(t.conn), bufio.NewWriter(t.conn)), nil
}
