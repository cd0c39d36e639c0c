package network_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
	corev1 "k8s.io/api/core/v1"

	"leme/nodeagent/docker/dockertest"
	"leme/nodeagent/pod"
)

// outside is a place that reaches the host over a wire of its own.
type outside struct {
	ns   netns.NsHandle
	host netip.Addr // the host's address there
}

// newOutside makes a network namespace and a wire to it, in a range that no other test has.
func newOutside(t *testing.T) outside {
	t.Helper()
	id := dockertest.ID()
	host := netip.AddrFrom4([4]byte{198, 18, id[0], id[1] &^ 3}).Next()
	o := outside{host: host, ns: netns.None()}
	made := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with its namespace
		var err error
		if o.ns, err = netns.New(); err == nil {
			o.ns, err = netns.Get()
		}
		made <- err
	}()
	must(t, <-made)
	t.Cleanup(func() { o.ns.Close() })
	name := "lo" + id
	must(t, netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: name}, PeerName: "eth0", PeerNamespace: netlink.NsFd(o.ns)}))
	link, err := netlink.LinkByName(name)
	must(t, err)
	t.Cleanup(func() { netlink.LinkDel(link) }) //nolint:errcheck // it goes with its namespace, too
	must(t, netlink.AddrAdd(link, prefix(host)))
	must(t, netlink.LinkSetUp(link))

	inside, err := netlink.NewHandleAt(o.ns)
	must(t, err)
	defer inside.Close()
	peer, err := inside.LinkByName("eth0")
	must(t, err)
	must(t, inside.AddrAdd(peer, prefix(host.Next())))
	must(t, inside.LinkSetUp(peer))
	return o
}

func prefix(a netip.Addr) *netlink.Addr {
	return &netlink.Addr{IPNet: &net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(30, 32)}}
}

// within runs fn on a thread that is there.
func (o outside) within(fn func() string) string {
	answer := make(chan string, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked
		if err := netns.Set(o.ns); err != nil {
			answer <- err.Error()
			return
		}
		answer <- fn()
	}()
	return <-answer
}

const short = time.Second

// ask sends a datagram and gives the answer.
func ask(to string) string {
	conn, err := net.DialTimeout("udp4", to, short)
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	buffer := make([]byte, 64)
	if err := conn.SetDeadline(time.Now().Add(short)); err != nil {
		return err.Error()
	}
	if _, err := conn.Write([]byte("?")); err != nil {
		return err.Error()
	}
	n, err := conn.Read(buffer)
	if err != nil {
		return err.Error()
	}
	return string(buffer[:n])
}

// dial says "connected" or why not.
func dial(to string) string {
	conn, err := net.DialTimeout("tcp4", to, short)
	if err != nil {
		return err.Error()
	}
	conn.Close()
	return "connected"
}

func TestHostPortsAreReachedFromEverywhere(t *testing.T) {
	t.Parallel()
	dockertest.Each(t, func(t *testing.T, n *dockertest.Node) {
		o, port := newOutside(t), freePort(t)
		to := netip.AddrPortFrom(o.host, uint16(port)).String()
		ports := []corev1.ContainerPort{{ContainerPort: 8080, HostPort: port}}
		p := n.Pod("web", "serve", ":8080")
		_, app := run(t, n, p, ports)
		dockertest.Eventually(t, func() bool { return get(t, "http://"+to+"/") == "hello from web" })
		peer := n.Run(t, n.Pod("peer"))
		for where, reached := range map[string]bool{
			"outside":         o.within(func() string { return dial(to) }) == "connected",
			"the host itself": get(t, fmt.Sprintf("http://127.0.0.1:%d/", port)) == "hello from web",
			"another pod":     fetch(n, t, peer, "http://"+to+"/") == "hello from web",
			"the pod itself":  fetch(n, t, app, "http://"+to+"/") == "hello from web",
			"the gateway":     fetch(n, t, peer, fmt.Sprintf("http://%s:%d/", n.Network.Gateway(), port)) == "hello from web",
		} {
			if !reached {
				t.Errorf("it is not reached from %s", where)
			}
		}
	})
}

func TestHostPortsOfDatagrams(t *testing.T) {
	t.Parallel()
	n := dockertest.NewOn(t, dockertest.ByAgent)
	o, port := newOutside(t), freePort(t)
	to := netip.AddrPortFrom(o.host, uint16(port)).String()
	ports := []corev1.ContainerPort{{ContainerPort: 53, HostPort: port, Protocol: corev1.ProtocolUDP}}
	sender, err := net.Dial("udp4", to) // one that keeps sending from the same port
	must(t, err)
	defer sender.Close()
	for _, name := range []string{"first", "second"} {
		p := n.Pod(name, "reply", ":53")
		sandbox, _ := run(t, n, p, ports)
		dockertest.Eventually(t, func() bool { return ask(to) == name })
		dockertest.Eventually(t, func() bool { return o.within(func() string { return ask(to) }) == name })
		dockertest.Eventually(t, func() bool { // not to who had the port before
			must(t, sender.SetDeadline(time.Now().Add(short)))
			buffer := make([]byte, 64)
			if _, err := sender.Write([]byte("?")); err != nil {
				return false
			}
			k, err := sender.Read(buffer)
			return err == nil && string(buffer[:k]) == name
		})
		all, err := n.PodContainers(t.Context(), p.UID)
		must(t, err)
		for _, c := range all {
			if c.ID != sandbox.ID {
				must(t, n.Remove(t.Context(), c.ID))
			}
		}
		must(t, n.Remove(t.Context(), sandbox.ID))
	}
}

// Ports stay the pod's over the agent's death and its sandbox's, and are everybody's after the pod.
func TestHostPortsFollowThePod(t *testing.T) {
	t.Parallel()
	n := dockertest.NewOn(t, dockertest.ByAgent)
	port := freePort(t)
	url := fmt.Sprintf("http://127.0.0.1:%d/", port)
	ports := []corev1.ContainerPort{{ContainerPort: 8080, HostPort: port, HostIP: "127.0.0.1"}}
	p := n.Pod("web", "serve", ":8080")
	sandbox, app := run(t, n, p, ports)
	dockertest.Eventually(t, func() bool { return get(t, url) == "hello from web" })

	n.Restart(t)
	must(t, n.Network.Ensure(t.Context(), netip.PrefixFrom(n.Network.Gateway(), 24)))
	if got := get(t, url); got != "hello from web" {
		t.Errorf("after the agent's death: %s", got)
	}
	_, err := n.RunSandbox(t.Context(), pod.Sandbox{Pod: n.Pod("second"), Ports: ports})
	if err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("a port was given twice: %v", err)
	}
	_, err = n.Engine.ContainerKill(t.Context(), sandbox.ID, client.ContainerKillOptions{Signal: "KILL"})
	must(t, err)
	must(t, n.Remove(t.Context(), app))
	next, err := n.RunSandbox(t.Context(), pod.Sandbox{Pod: p, Attempt: 1, Hostname: "next", Ports: ports})
	must(t, err)
	app, err = n.Create(t.Context(), n.Spec(p, next.ID))
	must(t, err)
	must(t, n.Start(t.Context(), app))
	dockertest.Eventually(t, func() bool { return get(t, url) == "hello from next" })

	must(t, n.Remove(t.Context(), sandbox.ID)) // the old one, which has no part in this any more
	if got := get(t, url); got != "hello from next" {
		t.Errorf("after the old sandbox was removed: %s", got)
	}
	must(t, n.Remove(t.Context(), app))
	must(t, n.Remove(t.Context(), next.ID))
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatalf("the port is still taken: %v", err)
	}
	listener.Close()
}

func TestHostPortThatSomebodyHasIsRefused(t *testing.T) {
	t.Parallel()
	n := dockertest.NewOn(t, dockertest.ByAgent)
	taken, err := net.Listen("tcp4", "127.0.0.1:0")
	must(t, err)
	defer taken.Close()
	port := int32(taken.Addr().(*net.TCPAddr).Port)
	_, err = n.RunSandbox(t.Context(), pod.Sandbox{Pod: n.Pod("web"), Ports: []corev1.ContainerPort{{ContainerPort: 80, HostPort: port}}})
	if err == nil || !strings.Contains(err.Error(), "address already in use") {
		t.Errorf("got %v", err)
	}
	_, err = n.RunSandbox(t.Context(), pod.Sandbox{Pod: n.Pod("six"), Ports: []corev1.ContainerPort{{ContainerPort: 80, HostPort: 80, HostIP: "::1"}}})
	if err == nil || !strings.Contains(err.Error(), "IPv6") {
		t.Errorf("got %v", err)
	}
}

// A pod does not reach what listens on the host's loopback, though host ports make the bridge route such addresses.
func TestPodsDoNotReachTheHostsLoopback(t *testing.T) {
	t.Parallel()
	n := dockertest.NewOn(t, dockertest.ByAgent)
	secret, err := net.Listen("tcp4", "127.0.0.1:0")
	must(t, err)
	defer secret.Close()
	sandbox, _ := run(t, n, n.Pod("web", "serve", ":8080"), []corev1.ContainerPort{{ContainerPort: 8080, HostPort: freePort(t)}})
	space, err := netns.GetFromPid(sandbox.PID)
	must(t, err)
	defer space.Close()
	attacker := outside{ns: space}
	if got := attacker.within(func() string {
		return sendOnBridge(n.Network.Gateway(), secret.Addr().(*net.TCPAddr).Port)
	}); got != "no answer" {
		t.Error(got)
	}
}

// sendOnBridge connects to 127.0.0.1 through the pod's own interface instead of its loopback.
func sendOnBridge(gateway netip.Addr, port int) string {
	inside, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return err.Error()
	}
	defer inside.Close()
	eth0, err := inside.LinkByName("eth0")
	if err != nil {
		return err.Error()
	}
	lo, err := inside.LinkByName("lo")
	if err != nil {
		return err.Error()
	}
	if err := errors.Join(
		os.WriteFile("/proc/sys/net/ipv4/conf/eth0/route_localnet", []byte("1"), 0),
		inside.AddrDel(lo, &netlink.Addr{IPNet: &net.IPNet{IP: net.IPv4(127, 0, 0, 1).To4(), Mask: net.CIDRMask(8, 32)}}),
		inside.RouteReplace(&netlink.Route{LinkIndex: eth0.Attrs().Index, Gw: gateway.AsSlice(),
			Dst: &net.IPNet{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)}}),
	); err != nil {
		return err.Error()
	}
	if got := dial(fmt.Sprintf("127.0.0.1:%d", port)); got == "connected" {
		return "the host's loopback is reached"
	}
	return "no answer"
}
