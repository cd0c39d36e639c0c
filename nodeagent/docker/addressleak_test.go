package docker_test

import (
	"strings"
	"testing"

	"leme/nodeagent/docker/dockertest"
	"leme/nodeagent/docker/dockertest/tap"
	"leme/nodeagent/pod"
)

// TestFailedSandboxesGiveTheirAddressesBack fails more sandboxes than the node has addresses.
func TestFailedSandboxesGiveTheirAddressesBack(t *testing.T) {
	t.Parallel()
	dockertest.Each(t, func(t *testing.T, n *dockertest.Node) {
		p := n.Pod("unlucky")
		n.Sandbox(t, p) // the sandbox's image is there
		tapped := tap.New(t, n.Engine.DaemonHost(), tap.Here)
		runtime := n.Via(t, tapped.Host())
		tapped.Set(func(c tap.Call) tap.Harm { return tap.Harm{Refuse: c.Kind == "POST /containers/create"} })
		for range 300 {
			_, err := runtime.RunSandbox(t.Context(), pod.Sandbox{Pod: n.Pod("next"), Hostname: "next"})
			if err == nil || !strings.HasSuffix(err.Error(), tap.Refusal) {
				t.Fatalf("it failed with %v", err)
			}
		}
		tapped.Set(nil)
		if _, err := runtime.RunSandbox(t.Context(), pod.Sandbox{Pod: n.Pod("last"), Hostname: "last"}); err != nil {
			t.Error(err)
		}
	})
}
