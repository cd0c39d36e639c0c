package completion

import (
	"slices"
	"strings"
)

// registryPrefix is before the names of the cluster's own images wherever other registries' could stand too.
const registryPrefix = "registry.leme/"

// images are those of the cluster's registry: repositories, and once there is a colon the tags of one.
func images(c *cursor) []Candidate {
	prefix := ""
	if strings.HasPrefix(c.word, registryPrefix) {
		prefix = registryPrefix
	}
	return prefixed(prefix, c.imagesLike(strings.TrimPrefix(c.word, prefix)))
}

func (c *cursor) imagesLike(word string) []Candidate {
	repository, _, tagged := strings.Cut(word, ":")
	if !tagged {
		all := listed(c.sources.Images(c.where, ""))
		for i := range all {
			all[i].Text += ":"
			all[i].NoSpace = true
		}
		return match(word, all)
	}
	tags := prefixed(repository+":", listed(c.sources.Images(c.where, repository)))
	return match(word, slices.DeleteFunc(tags, func(tag Candidate) bool { return slices.Contains(c.args, tag.Text) }))
}

// repositories are those of the cluster's registry.
func repositories(c *cursor) []Candidate {
	return match(c.word, listed(c.sources.Images(c.where, "")))
}

// containerImages complete CONTAINER=IMAGE behind a workload.
func containerImages(c *cursor) []Candidate {
	if len(c.args) == 0 {
		return workloads(c)
	}
	container, image, chosen := strings.Cut(c.word, "=")
	if !chosen {
		all := listed(c.sources.Containers(c.where, c.args[0]))
		for i := range all {
			all[i].Text += "="
			all[i].NoSpace = true
		}
		return match(c.word, all)
	}
	if !strings.HasPrefix(image, registryPrefix) {
		return match(c.word, []Candidate{{Text: container + "=" + registryPrefix, NoSpace: true}})
	}
	return prefixed(container+"="+registryPrefix, c.imagesLike(strings.TrimPrefix(image, registryPrefix)))
}
