package command

import (
	"context"
	"net/http"
	"os"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Environment variables that carry a session's scope to the commands it starts.
const (
	EnvContext   = "LEME_CONTEXT"
	EnvNamespace = "LEME_NAMESPACE"
)

// ScopeFromEnv is the scope handed down by a session, or by the user's own environment.
func ScopeFromEnv() Scope {
	return Scope{Context: os.Getenv(EnvContext), Namespace: os.Getenv(EnvNamespace)}
}

// Environ is the environment of this process for a command started under the scope s. It names the kubeconfig too, so
// that other clients in a pipe talk to the same cluster.
func (s Scope) Environ() []string {
	env := append(os.Environ(), EnvContext+"="+s.Context, EnvNamespace+"="+s.Namespace)
	if path := ownKubeconfig(); path != "" {
		env = append(env, "KUBECONFIG="+path)
	}
	return env
}

// client reaches the cluster that flags, environment and scope name. Its requests end with ctx.
type client struct {
	*genericclioptions.ConfigFlags
	namespace string
}

// NewClient returns the way to the cluster for a program part that runs no command, such as a completion source.
func NewClient(ctx context.Context, scope Scope) genericclioptions.RESTClientGetter {
	return newClient(ctx, scope, genericiooptions.NewTestIOStreamsDiscard())
}

func newClient(ctx context.Context, scope Scope, streams genericiooptions.IOStreams) *client {
	flags := genericclioptions.NewConfigFlags(true).
		WithDiscoveryBurst(300).WithDiscoveryQPS(50).WithWarningPrinter(streams)
	*flags.KubeConfig = ownKubeconfig()
	*flags.Context = scope.Context
	flags.WithWrapConfigFn(func(c *rest.Config) *rest.Config {
		c.QPS = -1 // the server bounds what it serves at a time; a limit here only makes people wait
		c.WarningHandler = rest.NewWarningWriter(streams.ErrOut, rest.WarningWriterOptions{Deduplicate: true})
		c.Wrap(func(next http.RoundTripper) http.RoundTripper { return cancellable{ctx, next} })
		return c
	})
	return &client{ConfigFlags: flags, namespace: scope.Namespace}
}

// ToRawKubeConfigLoader gives the scope's namespace the rank of the kubeconfig's, below --namespace and below what an
// object says of itself.
func (c *client) ToRawKubeConfigLoader() clientcmd.ClientConfig {
	return scoped{c.ConfigFlags.ToRawKubeConfigLoader(), c.namespace}
}

type loader = clientcmd.ClientConfig // its own name would hide its method when embedded

type scoped struct {
	loader
	namespace string
}

func (s scoped) Namespace() (string, bool, error) {
	name, explicit, err := s.loader.Namespace()
	if err == nil && !explicit && s.namespace != "" {
		return s.namespace, false, nil
	}
	return name, explicit, err
}
