package network_test

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/moby/moby/client"
	"github.com/vishvananda/netlink"
	corev1 "k8s.io/api/core/v1"

	"leme/nodeagent/docker/dockertest"
	"leme/nodeagent/network"
	"leme/nodeagent/pod"
)

// web runs a pod that serves HTTP and waits until the host reaches it.
func web(t *testing.T, n *dockertest.Node, name string) (sandbox pod.Container, app string) {
	t.Helper()
	sandbox, app = run(t, n, n.Pod(name, "serve", ":8080"), nil)
	awaitWeb(t, sandbox.IP, name)
	return sandbox, app
}

func awaitWeb(t *testing.T, ip, name string) {
	t.Helper()
	dockertest.Eventually(t, func() bool { return get(t, "http://"+ip+":8080/") == "hello from "+name })
}

// hostEnd is the interface of a pod on the host; nil when there is none.
func hostEnd(t *testing.T, ip string) netlink.Link {
	t.Helper()
	a := netip.MustParseAddr(ip).As4()
	link, err := netlink.LinkByName(fmt.Sprintf("leme%02x%02x%02x%02x", a[0], a[1], a[2], a[3]))
	if err != nil {
		return nil
	}
	return link
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// What an agent started and did not come to connect, its successor connects before anything joins.
func TestSandboxIsConnectedByTheNextAgent(t *testing.T) {
	t.Parallel()
	n := dockertest.NewOn(t, dockertest.ByAgent)
	p := n.Pod("orphan", "serve", ":8080")
	first := n.Sandbox(t, p)
	made, err := n.Engine.ContainerInspect(t.Context(), first.ID, client.ContainerInspectOptions{})
	must(t, err)
	must(t, n.Remove(t.Context(), first.ID))
	dockertest.Eventually(t, func() bool { return hostEnd(t, first.IP) == nil })

	// The engine alone does what RunSandbox asks of it; then the agent is killed.
	again, err := n.Engine.ContainerCreate(t.Context(), client.ContainerCreateOptions{
		Name: made.Container.Name[1:], Config: made.Container.Config, HostConfig: made.Container.HostConfig})
	must(t, err)
	_, err = n.Engine.ContainerStart(t.Context(), again.ID, client.ContainerStartOptions{})
	must(t, err)
	if hostEnd(t, first.IP) != nil {
		t.Fatal("somebody has connected it already")
	}
	n.Restart(t)
	must(t, n.Network.Ensure(t.Context(), netip.PrefixFrom(n.Network.Gateway(), 24)))
	c, ok := n.Find(t, again.ID)
	if !ok || c.State != pod.Running || c.IP != first.IP {
		t.Fatalf("%+v", c)
	}
	app, err := n.Create(t.Context(), n.Spec(p, again.ID))
	must(t, err)
	must(t, n.Start(t.Context(), app))
	awaitWeb(t, c.IP, made.Container.Config.Hostname)
}

// A sandbox that somebody starts again has another namespace, which is connected too, with the same address.
func TestRestartedSandboxIsConnectedAgain(t *testing.T) {
	t.Parallel()
	n := dockertest.NewOn(t, dockertest.ByAgent)
	p := n.Pod("again", "serve", ":8080")
	sandbox := n.Sandbox(t, p)
	none := 0
	_, err := n.Engine.ContainerRestart(t.Context(), sandbox.ID, client.ContainerRestartOptions{Timeout: &none})
	must(t, err)
	n.Restart(t)
	dockertest.Eventually(t, func() bool {
		c, _ := n.Find(t, sandbox.ID)
		return c.State == pod.Running && c.PID != sandbox.PID
	})
	app, err := n.Create(t.Context(), n.Spec(p, sandbox.ID))
	must(t, err)
	must(t, n.Start(t.Context(), app))
	awaitWeb(t, sandbox.IP, "again")
}

// With a sandbox goes all that was its own, whoever ends it.
func TestNothingIsLeftOfASandbox(t *testing.T) {
	t.Parallel()
	n := dockertest.NewOn(t, dockertest.ByAgent)
	for name, end := range map[string]func(id string) error{
		"removed": func(id string) error { return n.Remove(t.Context(), id) },
		"removed behind our back": func(id string) error {
			_, err := n.Engine.ContainerRemove(t.Context(), id, client.ContainerRemoveOptions{Force: true})
			return err
		},
		"killed": func(id string) error {
			_, err := n.Engine.ContainerKill(t.Context(), id, client.ContainerKillOptions{Signal: "KILL"})
			return err
		},
	} {
		sandbox := n.Sandbox(t, n.Pod("short"))
		if link := hostEnd(t, sandbox.IP); link == nil || link.Attrs().MasterIndex == 0 {
			t.Errorf("%s: the pod's interface is not on the bridge: %+v", name, link)
		}
		must(t, end(sandbox.ID))
		dockertest.Eventually(t, func() bool { return hostEnd(t, sandbox.IP) == nil })
	}
	all, err := n.Containers(t.Context())
	must(t, err)
	if len(all) != 1 || all[0].State != pod.Exited {
		t.Errorf("left: %+v", all)
	}
}

// The sandbox's process has a network namespace of its own and no right left.
func TestSandboxHasNoRights(t *testing.T) {
	t.Parallel()
	n := dockertest.NewOn(t, dockertest.ByAgent)
	sandbox := n.Sandbox(t, n.Pod("bare"))
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", sandbox.PID))
	must(t, err)
	for _, line := range []string{"CapInh:\t0000000000000000", "CapPrm:\t0000000000000000", "CapEff:\t0000000000000000", "NoNewPrivs:\t1", "Uid:\t65535\t65535\t65535\t65535"} {
		if !strings.Contains(string(status), "\n"+line+"\n") {
			t.Errorf("there is no %q in\n%s", line, status)
		}
	}
	ours, err := os.Readlink("/proc/self/ns/net")
	must(t, err)
	if theirs, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", sandbox.PID)); err != nil || theirs == ours {
		t.Errorf("it is in %s, %v", theirs, err)
	}
}

func TestSysctlsOfThePodsNetwork(t *testing.T) {
	t.Parallel()
	dockertest.Each(t, func(t *testing.T, n *dockertest.Node) {
		p := n.Pod("tuned")
		p.Spec.SecurityContext = &corev1.PodSecurityContext{Sysctls: []corev1.Sysctl{
			{Name: "net.ipv4.ip_local_port_range", Value: "20000\t20100"}, {Name: "kernel.shm_rmid_forced", Value: "1"},
		}}
		app := n.Run(t, p)
		for path, want := range map[string]string{
			"/proc/sys/net/ipv4/ip_local_port_range": "20000\t20100", "/proc/sys/kernel/shm_rmid_forced": "1",
		} {
			out, _, err := n.Exec(t.Context(), app, []string{"/app", "read", path})
			if err != nil || !strings.HasPrefix(string(out), want+"\n") {
				t.Errorf("%s is %q, %v", path, out, err)
			}
		}
	})
}

func TestNetnsIsRefusedWhereItCannotBe(t *testing.T) {
	remote, err := client.New(client.WithHost("tcp://192.0.2.1:2375"))
	must(t, err)
	defer remote.Close()
	_, err = network.NewNetns(network.Config{Engine: remote}, true)
	const want = "the agent cannot make the network namespaces of pods: the engine tcp://192.0.2.1:2375 is not on this machine"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	n, err := network.NewNetns(network.Config{Engine: remote}, false)
	if err != nil || n.Connects() {
		t.Errorf("%v", err)
	}
}
