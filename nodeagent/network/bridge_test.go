package network_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"leme/nodeagent/docker/dockertest"
	"leme/nodeagent/network"
	"leme/nodeagent/pod"
)

func TestPodsAndHostReachEachOther(t *testing.T) {
	t.Parallel()
	dockertest.Each(t, podsAndHostReachEachOther)
}

func podsAndHostReachEachOther(t *testing.T, n *dockertest.Node) {
	web := n.Pod("web", "serve", ":8080")
	sandbox := n.Sandbox(t, web)
	id, err := n.Create(t.Context(), n.Spec(web, sandbox.ID))
	if err == nil {
		err = n.Start(t.Context(), id)
	}
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + sandbox.IP + ":8080/"
	peer := n.Run(t, n.Pod("peer"))
	dockertest.Eventually(t, func() bool { return fetch(n, t, peer, url) == "hello from web" })
	if answer := get(t, url); answer != "hello from web" {
		t.Errorf("the host got %q", answer)
	}
	if err := n.Network.Remove(t.Context()); !errors.Is(err, network.ErrInUse) {
		t.Errorf("a network in use was removed: %v", err)
	}
}

func TestHostPortLeadsToThePod(t *testing.T) {
	t.Parallel()
	dockertest.Each(t, hostPortLeadsToThePod)
}

func hostPortLeadsToThePod(t *testing.T, n *dockertest.Node) {
	port := freePort(t)
	ports := []corev1.ContainerPort{{ContainerPort: 8080, HostPort: port, HostIP: "127.0.0.1"}}
	p := n.Pod("published", "serve", ":8080")
	run(t, n, p, ports)
	dockertest.Eventually(t, func() bool { return get(t, fmt.Sprintf("http://127.0.0.1:%d/", port)) == "hello from published" })

	_, err := n.RunSandbox(t.Context(), pod.Sandbox{Pod: n.Pod("second"), Ports: ports})
	if err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("a port was given twice: %v", err)
	}
	if all, _ := n.Containers(t.Context()); len(all) != 2 {
		t.Errorf("the failed sandbox is left behind: %+v", all)
	}
}

// freePort is one of the host's loopback that nobody has.
func freePort(t *testing.T) int32 {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer free.Close()
	return int32(free.Addr().(*net.TCPAddr).Port)
}

// run starts a pod's sandbox with ports of the host, and its first container.
func run(t *testing.T, n *dockertest.Node, p *corev1.Pod, ports []corev1.ContainerPort) (sandbox pod.Container, app string) {
	t.Helper()
	sandbox, err := n.RunSandbox(t.Context(), pod.Sandbox{Pod: p, Hostname: p.Name, Ports: ports})
	if err != nil {
		t.Fatal(err)
	}
	app, err = n.Create(t.Context(), n.Spec(p, sandbox.ID))
	if err == nil {
		err = n.Start(t.Context(), app)
	}
	if err != nil {
		t.Fatal(err)
	}
	return sandbox, app
}

// fetch gets a URL from within a container.
func fetch(n *dockertest.Node, t *testing.T, container, url string) string {
	t.Helper()
	output, _, err := n.Exec(t.Context(), container, []string{"/app", "get", url})
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(output))
}

func get(t *testing.T, url string) string {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return strings.TrimSpace(string(body))
}

func TestAddressesSurviveTheAgent(t *testing.T) {
	t.Parallel()
	dockertest.Each(t, addressesSurviveTheAgent)
}

func addressesSurviveTheAgent(t *testing.T, n *dockertest.Node) {
	first := n.Sandbox(t, n.Pod("first"))
	cidr := netip.PrefixFrom(n.Network.Gateway(), 24)
	again := n.OtherNetwork(t) // as a new agent does
	if _, err := again.Allocate(t.Context()); err == nil {
		t.Error("there was an address before there was a range")
	}
	if err := again.Ensure(t.Context(), cidr.Masked()); err != nil {
		t.Fatal(err)
	}
	a, err := again.Allocate(t.Context())
	if err != nil || a.String() == first.IP || !cidr.Contains(a) {
		t.Errorf("got %s, %v; the first pod has %s", a, err, first.IP)
	}
	other := netip.PrefixFrom(cidr.Addr().Next(), 25) // another range, of which the first pod is a part
	if err := again.Ensure(t.Context(), other); !errors.Is(err, network.ErrInUse) {
		t.Errorf("the range of a network in use was changed: %v", err)
	}
	if err := n.Remove(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	if err := again.Ensure(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	if err := again.Remove(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := again.Remove(t.Context()); err != nil {
		t.Errorf("removing what is gone: %v", err)
	}
}

// An address that somebody else took is passed over.
func TestTakenAddressIsPassedOver(t *testing.T) {
	t.Parallel()
	dockertest.Each(t, takenAddressIsPassedOver)
}

func takenAddressIsPassedOver(t *testing.T, n *dockertest.Node) {
	stranger := n.OtherNetwork(t)
	if err := stranger.Ensure(t.Context(), netip.PrefixFrom(n.Network.Gateway(), 24)); err != nil {
		t.Fatal(err)
	}
	other := n.Sandbox(t, n.Pod("one"))
	n.Network.Release(netip.MustParseAddr(other.IP)) // as if it were not known to be used
	for range 237 {
		if _, err := n.Network.Allocate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	n.Network.Release(n.Network.Gateway().Next().Next().Next()) // .4, which is free indeed, but rests less long
	sandbox, err := n.RunSandbox(t.Context(), pod.Sandbox{Pod: n.Pod("two"), Hostname: "two"})
	if err != nil || sandbox.IP == other.IP {
		t.Errorf("%+v, %v", sandbox, err)
	}
}
