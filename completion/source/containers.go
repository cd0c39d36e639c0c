package source

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"leme/completion"
)

// Containers are those of a pod by its name, or of any TYPE/NAME that has them, with their images.
func (c *Cluster) Containers(s completion.Scope, target string) []completion.Object {
	key := containersKey{s, target}
	c.mu.Lock()
	v, ok := c.containers[key]
	if !ok {
		v = &cached[[]completion.Object]{fetch: func(ctx context.Context) ([]completion.Object, error) {
			return c.fetchContainers(ctx, s, target)
		}}
		c.containers[key] = v
	}
	c.mu.Unlock()
	return v.get(c.ctx, c.Wait, c.notify)
}

func (c *Cluster) fetchContainers(ctx context.Context, s completion.Scope, target string) ([]completion.Object, error) {
	client, err := c.client(s)
	if err != nil {
		return nil, err
	}
	path := pathOf("", "v1", c.namespace(s), "pods") + "/" + target
	if typed, name, ok := strings.Cut(target, "/"); ok {
		t, ok := c.typeNamed(s, typed)
		if !ok {
			return nil, fmt.Errorf("no type %s", typed)
		}
		path = pathOf(t.Group, t.Version, c.namespace(s), t.Resource) + "/" + name
	}
	var found podTemplate
	if err := client.get(ctx, path, nil, "application/json", &found); err != nil {
		return nil, err
	}
	return append(found.Spec.objects(), found.Spec.Template.Spec.objects()...), nil
}

func (c *Cluster) typeNamed(s completion.Scope, name string) (completion.Type, bool) {
	for _, t := range c.Types(s) {
		if t.Resource == name || t.Singular == name || slices.Contains(t.Short, name) {
			return t, true
		}
	}
	return completion.Type{}, false
}

func (l containerLists) objects() []completion.Object {
	var all []completion.Object
	for _, part := range []struct {
		role       string
		containers []container
	}{{"", l.Containers}, {"init ", l.InitContainers}, {"ephemeral ", l.EphemeralContainers}} {
		for _, k := range part.containers {
			all = append(all, completion.Object{Name: k.Name, Description: part.role + k.Image})
		}
	}
	return all
}

// podTemplate is as much of a pod or a workload as its containers need.
type podTemplate struct {
	Spec struct {
		containerLists
		Template struct {
			Spec containerLists `json:"spec"`
		} `json:"template"`
	} `json:"spec"`
}

type containerLists struct {
	InitContainers      []container `json:"initContainers"`
	Containers          []container `json:"containers"`
	EphemeralContainers []container `json:"ephemeralContainers"`
}

type container struct {
	Name  string `json:"name"`
	Image string `json:"image"`
}
