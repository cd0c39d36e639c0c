package probe

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	grpchealth "google.golang.org/grpc/health"
	health "google.golang.org/grpc/health/grpc_health_v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func target(t *testing.T, address string) (Target, intstr.IntOrString) {
	t.Helper()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	p := intstr.Parse(port)
	c := &corev1.Container{Ports: []corev1.ContainerPort{{Name: "web", ContainerPort: p.IntVal}}}
	return Target{Host: host, Container: c}, p
}

func TestHTTP(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/bad":
			w.WriteHeader(500)
		case r.URL.Path == "/away":
			http.Redirect(w, r, "http://elsewhere.invalid/", http.StatusFound)
		case r.URL.Path == "/near":
			http.Redirect(w, r, "/bad", http.StatusFound)
		case r.Header.Get("X-Want") != "" || r.Host == "named":
			w.WriteHeader(204)
		default:
			w.WriteHeader(404)
		}
	}))
	defer server.Close()
	at, _ := target(t, server.Listener.Addr().String())
	for _, c := range []struct {
		path, header string
		ok           bool
	}{{"/bad", "", false}, {"/away", "", true}, {"/near", "", false}, {"/x?y=1", "", false}, {"/x", "X-Want", true}, {"/x", "Host", true}} {
		a := &corev1.HTTPGetAction{Path: c.path, Port: intstr.FromString("web")}
		if c.header != "" {
			a.HTTPHeaders = []corev1.HTTPHeader{{Name: c.header, Value: "named"}}
		}
		ok, output, err := Check(t.Context(), &corev1.ProbeHandler{HTTPGet: a}, at)
		if ok != c.ok || err != nil {
			t.Errorf("%v: %v %q %v", c, ok, output, err)
		}
	}
}

// TestHTTP2: a server that speaks HTTP/2 without TLS, and nothing else.
func TestHTTP2(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 {
			w.WriteHeader(http.StatusHTTPVersionNotSupported)
		}
	}))
	server.Config.Protocols = clearHTTP2()
	server.Config.Protocols.SetHTTP1(true)
	server.Start()
	defer server.Close()
	at, port := target(t, server.Listener.Addr().String())
	two := corev1.HTTPProtocolHTTP2
	for protocol, want := range map[*corev1.HTTPProtocol]bool{nil: false, &two: true} {
		h := &corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Port: port, Protocol: protocol}}
		if ok, output, err := Check(t.Context(), h, at); ok != want || err != nil {
			t.Errorf("%v: %v %q %v", protocol, ok, output, err)
		}
	}
}

// TestCall: a hook is done when anything answers.
func TestCall(t *testing.T) {
	asked := make(chan string, 9)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Header.Get("User-Agent") + r.Header.Get("Authorization")
		w.WriteHeader(http.StatusTeapot)
	}))
	at, port := target(t, server.Listener.Addr().String())
	a := &corev1.HTTPGetAction{Port: port, HTTPHeaders: []corev1.HTTPHeader{{Name: "Authorization", Value: "me"}}}
	if err := Call(t.Context(), a, at); err != nil || <-asked != "kube-lifecycle/1.37me" {
		t.Error(err)
	}
	a.Scheme = corev1.URISchemeHTTPS
	if err := Call(t.Context(), a, at); err != nil || <-asked != "kube-lifecycle/1.37" {
		t.Errorf("asked by HTTPS: %v", err)
	}
	server.Close()
	if err := Call(t.Context(), a, at); err == nil {
		t.Error("a server that is not there answered")
	}
}

func TestTCP(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at, port := target(t, l.Addr().String())
	h := &corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: port}}
	if ok, output, err := Check(t.Context(), h, at); !ok || err != nil {
		t.Errorf("open: %v %q %v", ok, output, err)
	}
	l.Close()
	if ok, output, err := Check(t.Context(), h, at); ok || err != nil || !strings.Contains(output, "refused") {
		t.Errorf("closed: %v %q %v", ok, output, err)
	}
	h.TCPSocket.Port = intstr.FromString("unknown")
	if _, _, err := Check(t.Context(), h, at); err == nil {
		t.Error("an unknown port name was accepted")
	}
}

func TestGRPC(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server, state := grpc.NewServer(), grpchealth.NewServer()
	state.SetServingStatus("up", health.HealthCheckResponse_SERVING)
	state.SetServingStatus("down", health.HealthCheckResponse_NOT_SERVING)
	health.RegisterHealthServer(server, state)
	go server.Serve(l) //nolint:errcheck // it ends with Stop
	defer server.Stop()
	at, port := target(t, l.Addr().String())
	for service, want := range map[string]bool{"up": true, "down": false, "unknown": false} {
		a := &corev1.GRPCAction{Port: port.IntVal, Service: &service}
		if ok, output, err := Check(t.Context(), &corev1.ProbeHandler{GRPC: a}, at); ok != want || err != nil {
			t.Errorf("%s: %v %q %v", service, ok, output, err)
		}
	}
}

func TestGRPCByTLS(t *testing.T) {
	server, state := grpc.NewServer(), grpchealth.NewServer()
	health.RegisterHealthServer(server, state)
	web := httptest.NewUnstartedServer(server)
	web.EnableHTTP2 = true
	web.StartTLS()
	defer web.Close()
	at, port := target(t, web.Listener.Addr().String())
	tls, plain := corev1.GRPCProbeModeTLS, corev1.GRPCProbeModePlaintext
	for mode, want := range map[*corev1.GRPCProbeMode]bool{nil: false, &plain: false, &tls: true} {
		a := &corev1.GRPCAction{Port: port.IntVal, Mode: mode}
		if ok, output, err := Check(t.Context(), &corev1.ProbeHandler{GRPC: a}, at); ok != want || err != nil {
			t.Errorf("%v: %v %q %v", mode, ok, output, err)
		}
	}
}

// TestProber: verdicts a second apart, and the changes that are reported.
func TestProber(t *testing.T) {
	spec := corev1.Probe{PeriodSeconds: 1, TimeoutSeconds: 1, FailureThreshold: 2, SuccessThreshold: 1}
	for _, c := range []struct {
		kind     Kind
		verdicts string // "+" success, "-" failure, "?" cannot ask
		want     []Result
	}{
		{Readiness, "-+-+--+", []Result{Success, Failure, Success}},
		{Readiness, "?-?-", []Result{Failure}},
		{Liveness, "+-+--+", []Result{Success, Failure}},
		{Startup, "-+--", []Result{Success}},
		{Startup, "--+", []Result{Failure}},
	} {
		t.Run(string(c.kind)+c.verdicts, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				var got []Result
				asked := 0
				p := Prober{Kind: c.kind, Spec: &spec, Started: time.Now(),
					Report: func(r Result) { got = append(got, r) }, Failed: func(string, error) {}}
				p.Spec.Exec = &corev1.ExecAction{}
				p.Target.Exec = func(context.Context, []string) ([]byte, int, error) {
					v := c.verdicts[asked]
					if asked++; asked == len(c.verdicts) {
						defer time.AfterFunc(time.Millisecond, cancel)
					}
					switch v {
					case '+':
						return nil, 0, nil
					case '-':
						return nil, 1, nil
					}
					return nil, 0, errors.New("cannot ask")
				}
				p.Run(ctx)
				cancel()
				if !slices.Equal(got, c.want) {
					t.Errorf("got %v, want %v", got, c.want)
				}
			})
		})
	}
}

// TestDelay: the initial delay counts from the container's start, after the startup probe's success.
func TestDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin, after := time.Now(), make(chan struct{})
		time.AfterFunc(3*time.Second, func() { close(after) })
		var first time.Duration
		ctx, cancel := context.WithCancel(t.Context())
		p := Prober{Kind: Readiness, Started: begin, After: after, Report: func(Result) { cancel() }, Failed: func(string, error) {},
			Spec: &corev1.Probe{InitialDelaySeconds: 5, ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{}}},
			Target: Target{Exec: func(context.Context, []string) ([]byte, int, error) {
				first = time.Since(begin)
				return nil, 0, nil
			}}}
		p.Run(ctx)
		if first != 5*time.Second {
			t.Errorf("first asked after %s", first)
		}
	})
}

// TestEager: a container that needs a moment to start need not wait a whole period to be ready.
func TestEager(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		var ready time.Duration
		told := 0
		ctx, cancel := context.WithCancel(t.Context())
		p := Prober{Kind: Readiness, Started: begin, Failed: func(string, error) { told++ },
			Report: func(Result) { ready = time.Since(begin); cancel() },
			Spec:   &corev1.Probe{PeriodSeconds: 10, ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{}}},
			Target: Target{Exec: func(context.Context, []string) ([]byte, int, error) {
				if time.Since(begin) < 250*time.Millisecond {
					return nil, 1, nil
				}
				return nil, 0, nil
			}}}
		p.Run(ctx)
		if ready != 300*time.Millisecond || told != 1 {
			t.Errorf("ready after %s, %d failures told", ready, told)
		}
	})
}

// TestInitialDelay counts from the container's start, and lasts no longer when the clock was set back since.
func TestInitialDelay(t *testing.T) {
	now := time.Now()
	for ago, want := range map[time.Duration]time.Duration{
		0: 30 * time.Second, 20 * time.Second: 10 * time.Second, -3 * time.Hour: 30 * time.Second,
	} {
		p := Prober{Spec: &corev1.Probe{InitialDelaySeconds: 30}, Started: now.Add(-ago)}
		if got := p.initialDelay(now); got != want {
			t.Errorf("of a container that started %s ago: %s, want %s", ago, got, want)
		}
	}
	p := Prober{Spec: &corev1.Probe{InitialDelaySeconds: 30}, Started: now.Add(-3 * time.Hour)}
	if got := p.initialDelay(now); got > 0 {
		t.Errorf("of one that started hours ago: %s", got)
	}
}
