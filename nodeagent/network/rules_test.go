package network

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"
)

// table is a firewall of the test's.
type table struct {
	rules  []string
	forgot []Port
	gone   bool
	broken error
}

func (f *table) write(_ netip.Prefix, all []redirect) error {
	if f.broken != nil {
		return f.broken
	}
	f.rules, f.gone = nil, false
	for _, r := range all {
		f.rules = append(f.rules, fmt.Sprintf("%s to %s", r.Port, r.to))
	}
	return nil
}

func (f *table) forget(ports []Port) error { f.forgot = append(f.forgot, ports...); return nil }
func (f *table) intact() (bool, error)     { return !f.gone, nil }

func endpoint(owner, address string, ports ...Port) Endpoint {
	return Endpoint{Owner: owner, Address: netip.MustParseAddr(address), Ports: ports}
}

func sctp(hostIP string, host uint16) Port { // the host has no socket of it to hold
	p := Port{Protocol: "sctp", Host: host, Container: 80}
	if hostIP != "" {
		p.HostIP = netip.MustParseAddr(hostIP)
	}
	return p
}

func TestHostPorts(t *testing.T) {
	fw := &table{}
	h := newHostPorts(fw)
	used := func(netip.Addr) bool { return true }
	check := func(step string, want ...string) {
		t.Helper()
		if got := strings.Join(fw.rules, ", "); got != strings.Join(want, ", ") {
			t.Errorf("%s: %s, want %s", step, got, strings.Join(want, ", "))
		}
	}
	publish := func(e Endpoint) error { return h.publish(e, used) }

	if err := publish(endpoint("a", "10.0.0.2", sctp("", 1))); err != nil {
		t.Fatal(err)
	}
	check("the first", "0.0.0.0:1/sctp to 10.0.0.2:80")
	for name, e := range map[string]Endpoint{
		"the same":                endpoint("b", "10.0.0.3", sctp("", 1)),
		"the same of one address": endpoint("b", "10.0.0.3", sctp("127.0.0.1", 1)),
	} {
		if err := publish(e); err == nil || !strings.Contains(err.Error(), "already taken by another pod") {
			t.Errorf("%s: %v", name, err)
		}
	}
	check("after refusals", "0.0.0.0:1/sctp to 10.0.0.2:80")

	if err := publish(endpoint("b", "10.0.0.3", sctp("127.0.0.1", 2), Port{Protocol: "tcp"})); err != nil {
		t.Fatal(err)
	}
	check("one of an address comes first", "127.0.0.1:2/sctp to 10.0.0.3:80", "0.0.0.0:1/sctp to 10.0.0.2:80", "0.0.0.0:0/tcp to 10.0.0.3:0")
	if err := publish(endpoint("a", "10.0.0.4", sctp("", 1))); err != nil { // another sandbox of the same pod
		t.Fatal(err)
	}
	check("moved", "127.0.0.1:2/sctp to 10.0.0.3:80", "0.0.0.0:0/tcp to 10.0.0.3:0", "0.0.0.0:1/sctp to 10.0.0.4:80")
	if err := h.publish(endpoint("c", "10.0.0.9", sctp("", 3)), func(netip.Addr) bool { return false }); !errors.Is(err, ErrGone) {
		t.Errorf("published for an address that was given back: %v", err)
	}

	fw.gone, fw.rules = true, nil
	if err := h.mend(); err != nil || len(fw.rules) != 3 {
		t.Errorf("mended: %v, %v", fw.rules, err)
	}
	released := false
	if err := h.withdraw(netip.MustParseAddr("10.0.0.3"), func() { released = true }); err != nil || !released {
		t.Errorf("%t, %v", released, err)
	}
	check("withdrawn", "0.0.0.0:1/sctp to 10.0.0.4:80")
	if len(h.held) != 1 {
		t.Errorf("held: %v", h.held)
	}

	fw.broken = errors.New("no right")
	if err := publish(endpoint("d", "10.0.0.5", Port{Protocol: "tcp"})); !errors.Is(err, fw.broken) || len(h.held) != 1 || len(h.published) != 1 {
		t.Errorf("after a failure: %v, held %v, published %v", err, h.held, h.published)
	}
	fw.broken = nil
	if err := h.replace(netip.Prefix{}, nil); err != nil || len(h.held) != 0 {
		t.Errorf("replaced: %v, held %v", err, h.held)
	}
	check("replaced by none")
}

func TestEndpointIsItsLabel(t *testing.T) {
	e := Endpoint{Network: "leme", Owner: "uid", Address: netip.MustParseAddr("10.0.0.2"),
		Ports: []Port{sctp("", 1), sctp("127.0.0.1", 2)}, Sysctls: map[string]string{"net.ipv4.ip_forward": "1"}}
	const want = `{"network":"leme","owner":"uid","address":"10.0.0.2","ports":[{"protocol":"sctp","host":1,"container":80},` +
		`{"protocol":"sctp","hostIP":"127.0.0.1","host":2,"container":80}],"sysctls":{"net.ipv4.ip_forward":"1"}}`
	if got := e.Label(); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if got, ok := EndpointOf(map[string]string{EndpointLabel: e.Label()}); !ok || got.Label() != want {
		t.Errorf("read back: %+v", got)
	}
	for _, bad := range []map[string]string{nil, {EndpointLabel: "no"}, {EndpointLabel: `{"address":"::1"}`}} {
		if e, ok := EndpointOf(bad); ok {
			t.Errorf("%v is %+v", bad, e)
		}
	}
}

func TestSysctlPath(t *testing.T) {
	for name, want := range map[string]string{
		"net.ipv4.ip_forward":           "/proc/sys/net/ipv4/ip_forward",
		"net/ipv4/conf/eth0.1/mtu":      "/proc/sys/net/ipv4/conf/eth0.1/mtu",
		"net.ipv4.conf.eth0/1.rp_fi":    "/proc/sys/net/ipv4/conf/eth0.1/rp_fi",
		"net/../../../etc/cron.d/stray": "/proc/sys/etc/cron.d/stray",
	} {
		if got := sysctlPath(name); got != want {
			t.Errorf("%s is at %s, want %s", name, got, want)
		}
	}
}

func TestSysctlOfTheHostIsRefused(t *testing.T) {
	own, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	defer own.Close()
	err = setSysctls(own, map[string]string{"net/../kernel/hostname": "stray"})
	if err == nil || os.Geteuid() == 0 && !strings.Contains(err.Error(), "is not the pod's network's") {
		t.Errorf("got %v", err)
	}
}

func TestNamespaceOfAnotherProcessIsNotTaken(t *testing.T) {
	if _, err := openNamespace(t.Context(), os.Getpid(), "no container of ours"); !errors.Is(err, ErrGone) {
		t.Errorf("a process that is not the sandbox's: %v", err)
	}
	if _, err := openNamespace(t.Context(), 1<<30, ""); !errors.Is(err, ErrGone) {
		t.Errorf("a process that is not there: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if f, err := openNamespace(ctx, os.Getpid(), ""); f != nil || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a process in the host's network: %v", err)
	}
}
