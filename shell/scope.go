package shell

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"leme/shell/command"
)

// namespaceTimeout bounds the question whether a chosen namespace is there; the choice does not depend on the answer.
const namespaceTimeout = 2 * time.Second

// named fills in what the kubeconfig says where scope leaves the choice to it. It reads a file, no network.
func named(ctx context.Context, scope command.Scope) command.Scope {
	loader := command.NewClient(ctx, scope).ToRawKubeConfigLoader()
	if raw, err := loader.RawConfig(); err == nil && scope.Context == "" {
		scope.Context = raw.CurrentContext
	}
	namespace, _, err := loader.Namespace()
	if err == nil && scope.Namespace == "" {
		scope.Namespace = namespace
	}
	scope.Namespace = cmp.Or(scope.Namespace, "default")
	scope.Context = cmp.Or(scope.Context, "(none)")
	return scope
}

// hasContext returns an error that names the contexts there are, when scope's is none of them.
func hasContext(ctx context.Context, scope command.Scope) error {
	raw, err := command.NewClient(ctx, command.Scope{}).ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return fmt.Errorf("reading the kubeconfig: %w", err)
	}
	if _, ok := raw.Contexts[scope.Context]; ok {
		return nil
	}
	var names []string
	for name := range raw.Contexts {
		names = append(names, name)
	}
	slices.Sort(names)
	return fmt.Errorf("there is no context %q: the kubeconfig has %s", scope.Context, cmp.Or(strings.Join(names, ", "), "none"))
}
