package source

import (
	"sync/atomic"
	"testing"

	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"leme/completion"
)

// TestNamespaceIsReadOnce holds that a key press does not read the kubeconfig.
func TestNamespaceIsReadOnce(t *testing.T) {
	var reads atomic.Int32
	c := New(t.Context(), Config{ClientConfig: func(_, context string) clientcmd.ClientConfig {
		reads.Add(1)
		config := api.Config{
			Clusters: map[string]*api.Cluster{"here": {Server: "https://127.0.0.1"}},
			Contexts: map[string]*api.Context{"mine": {Cluster: "here", Namespace: "web"}, "plain": {Cluster: "here"}},
		}
		return clientcmd.NewDefaultClientConfig(config, &clientcmd.ConfigOverrides{CurrentContext: context})
	}})
	for range 10 {
		if got := c.namespace(completion.Scope{Context: "mine"}); got != "web" {
			t.Fatalf("the context's namespace is %q", got)
		}
		if got := c.namespace(completion.Scope{Context: "plain"}); got != "default" {
			t.Fatalf("without one it is %q", got)
		}
		if got := c.namespace(completion.Scope{Context: "mine", Namespace: "line"}); got != "line" {
			t.Fatalf("the line's namespace is %q", got)
		}
	}
	if n := reads.Load(); n != 2 {
		t.Errorf("the kubeconfig was read %d times for two contexts", n)
	}
}
