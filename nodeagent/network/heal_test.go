package network_test

import (
	"context"
	"testing"

	"github.com/moby/moby/client"
	"github.com/vishvananda/netlink"

	"leme/nodeagent/docker/dockertest"
	"leme/nodeagent/network"
)

// healing is a node whose network mends itself while the test runs.
func healing(t *testing.T) *dockertest.Node {
	t.Helper()
	n := dockertest.NewOn(t, dockertest.ByAgent)
	own, ok := n.Network.(*network.Netns)
	if !ok {
		t.Fatalf("the network is a %T", n.Network)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- own.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return n
}

func TestNetworkIsMended(t *testing.T) {
	t.Parallel()
	n := healing(t)
	one, _ := web(t, n, "one")
	two, peer := web(t, n, "two")
	for what, harm := range map[string]func() error{
		"the network is pruned": func() error {
			_, err := n.Engine.NetworkRemove(t.Context(), n.Network.Name(), client.NetworkRemoveOptions{})
			return err
		},
		"an interface is removed":   func() error { return netlink.LinkDel(hostEnd(t, one.IP)) },
		"an interface is unplugged": func() error { return netlink.LinkSetNoMaster(hostEnd(t, two.IP)) },
	} {
		before := hostEnd(t, one.IP).Attrs()
		must(t, harm())
		awaitWeb(t, one.IP, "one")
		awaitWeb(t, two.IP, "two")
		dockertest.Eventually(t, func() bool { return fetch(n, t, peer, "http://"+one.IP+":8080/") == "hello from one" })
		t.Logf("%s: mended, interface %d, then %d", what, before.Index, hostEnd(t, one.IP).Attrs().Index)
	}
}
