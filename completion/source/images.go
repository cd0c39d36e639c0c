package source

import (
	"context"

	"leme/completion"
)

// Images are the repositories of the cluster's registry, or the tags of one.
func (c *Cluster) Images(s completion.Scope, repository string) []completion.Object {
	key := imagesKey{s.Kubeconfig, s.Context, repository}
	c.mu.Lock()
	v, ok := c.images[key]
	if !ok {
		v = &cached[[]completion.Object]{fetch: func(ctx context.Context) ([]completion.Object, error) {
			return c.fetchImages(ctx, s, repository)
		}}
		c.images[key] = v
	}
	c.mu.Unlock()
	return v.get(c.ctx, c.Wait, c.notify)
}

type imagesKey struct{ kubeconfig, context, repository string }

func (c *Cluster) fetchImages(ctx context.Context, s completion.Scope, repository string) ([]completion.Object, error) {
	client, err := c.client(s)
	if err != nil {
		return nil, err
	}
	path := "/v2/_catalog"
	if repository != "" {
		path = "/v2/" + repository + "/tags/list"
	}
	var found struct{ Repositories, Tags []string }
	if err := client.get(ctx, path, nil, "application/json", &found); err != nil {
		return nil, err
	}
	var all []completion.Object
	for _, name := range append(found.Repositories, found.Tags...) {
		all = append(all, completion.Object{Name: name})
	}
	return all, nil
}
