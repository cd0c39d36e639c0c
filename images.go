package main

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/distribution/reference"
	"github.com/opencontainers/go-digest"

	"leme/registry"
	"leme/registry/pull"
	"leme/server"
	"leme/server/auth"
	"leme/shell/command"
)

// newRegistry opens the cluster's registry. Who may do what with it is the server's to say, and so is what is in use.
func newRegistry(o command.ServerOptions, m *master) (*registry.Registry, error) {
	return registry.New(registry.Config{
		Dir:   filepath.Join(o.Home, "registry"),
		Quota: o.Registry.Quota.Bytes(), RepositoryQuota: o.Registry.RepositoryQuota.Bytes(),
		UntaggedAge: o.Registry.UntaggedAge, GCInterval: o.Registry.GCInterval,
		Used: m.imagesInUse,
		Readable: func(ctx context.Context, repo string) bool {
			return auth.Permits(ctx, auth.ImageAttributes("get", repo))
		},
	})
}

// imageMount is where images are pulled and pushed: those of the cluster, and others' through it.
func (m *master) imageMount() server.Mount {
	return server.Mount{
		Prefix: "/v2/", Handler: m.through.Before(m.registry, auth.RegistryHost),
		Attributes: imageAttributes, Refuse: registry.Refuse,
		Resources: []server.NamedResource{{GroupVersionKind: auth.Images, Resource: "images", Singular: "image", Namespaced: true}},
	}
}

// imageAttributes is what a request to the registry asks for, in RBAC's terms.
func imageAttributes(r *http.Request) auth.Attributes {
	verb, repo := registry.Access(r)
	switch host := r.URL.Query().Get(pull.ThroughParameter); {
	case verb == "":
		return auth.Attributes{Verb: "get", Path: "/v2/"} // as clients do to log in
	case host != "" && host != auth.RegistryHost:
		return auth.UpstreamImageAttributes(verb, host+"/"+repo)
	}
	return auth.ImageAttributes(verb, repo)
}

// imagesInUse finds the images of the registry that pods and workloads name by digest.
func (m *master) imagesInUse(ctx context.Context) (registry.InUse, error) {
	images, err := m.server.ImagesInUse(ctx)
	if err != nil {
		return nil, err
	}
	return namedByDigest(images), nil
}

func namedByDigest(images []string) registry.InUse {
	out := registry.InUse{}
	for _, image := range images {
		if !strings.HasPrefix(image, auth.RegistryHost+"/") {
			continue
		}
		named, err := reference.ParseNormalizedNamed(image)
		if err != nil {
			continue // nothing can be pulled by such a name
		}
		byDigest, ok := named.(reference.Digested)
		if !ok {
			continue
		}
		path := reference.Path(named)
		if out[path] == nil {
			out[path] = map[digest.Digest]bool{}
		}
		out[path][byDigest.Digest()] = true
	}
	return out
}
