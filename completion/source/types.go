package source

import (
	"context"
	"slices"

	apidiscoveryv2 "k8s.io/api/apidiscovery/v2"

	"leme/completion"
)

const acceptDiscovery = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"

// Types are the resource types that the server lists and gets, each in its preferred version.
func (c *Cluster) Types(s completion.Scope) []completion.Type {
	key := clientKey{s.Kubeconfig, s.Context}
	c.mu.Lock()
	v, ok := c.types[key]
	if !ok {
		v = &cached[[]completion.Type]{fetch: func(ctx context.Context) ([]completion.Type, error) { return c.discover(ctx, s) }}
		c.types[key] = v
	}
	c.mu.Unlock()
	return v.get(c.ctx, c.Wait, c.notify)
}

func (c *Cluster) discover(ctx context.Context, s completion.Scope) ([]completion.Type, error) {
	client, err := c.client(s)
	if err != nil {
		return nil, err
	}
	var types []completion.Type
	for _, path := range []string{"/api", "/apis"} {
		var groups apidiscoveryv2.APIGroupDiscoveryList
		if err := client.get(ctx, path, nil, acceptDiscovery, &groups); err != nil {
			return nil, err
		}
		for _, g := range groups.Items {
			if len(g.Versions) > 0 {
				types = append(types, typesOf(g.Name, g.Versions[0])...)
			}
		}
	}
	return types, nil
}

func typesOf(group string, v apidiscoveryv2.APIVersionDiscovery) []completion.Type {
	var types []completion.Type
	for _, r := range v.Resources {
		if !slices.Contains(r.Verbs, "list") || r.ResponseKind == nil {
			continue
		}
		types = append(types, completion.Type{
			Group: group, Version: v.Version, Resource: r.Resource,
			Singular: r.SingularResource, Short: r.ShortNames, Kind: r.ResponseKind.Kind,
			Namespaced: r.Scope == apidiscoveryv2.ScopeNamespace,
			Scalable: slices.ContainsFunc(r.Subresources, func(s apidiscoveryv2.APISubresourceDiscovery) bool {
				return s.Subresource == "scale"
			}),
		})
	}
	return types
}

// Contexts are those of the kubeconfig, with the cluster of each.
func (c *Cluster) Contexts(s completion.Scope) []completion.Object {
	config, err := c.ClientConfig(s.Kubeconfig, "").RawConfig()
	if err != nil {
		return nil
	}
	var contexts []completion.Object
	for name, settings := range config.Contexts {
		contexts = append(contexts, completion.Object{Name: name, Description: "cluster " + settings.Cluster})
	}
	slices.SortFunc(contexts, byName)
	return contexts
}
