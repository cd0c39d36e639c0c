package registry

import (
	"testing"
	"time"

	"github.com/opencontainers/go-digest"
)

// TestPlan changes one thing a row in a repository with a tagged index of one image, whose layer is L.
func TestPlan(t *testing.T) {
	now := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	old, young := now.Add(-48*time.Hour), now.Add(-time.Minute)
	const index, image, layer, other, signature = digest.Digest("I"), digest.Digest("M"), digest.Digest("L"), digest.Digest("O"), digest.Digest("S")
	for _, c := range []struct {
		name   string
		change func(*contents, *Rules)
		want   string
	}{
		{"everything is led to", func(*contents, *Rules) {}, ""},
		{"the tag is gone", func(c *contents, _ *Rules) { clear(c.tagged) },
			"remove manifest I; remove manifest M; remove blob L"},
		{"the tag is gone, and manifests stay for ever", func(c *contents, r *Rules) { clear(c.tagged); r.Untagged = -1 }, ""},
		{"the tag is gone, the index was just pulled", func(c *contents, _ *Rules) {
			clear(c.tagged)
			c.manifests[index] = held{children: []digest.Digest{image}, time: young}
		}, ""},
		{"a pod names the index", func(c *contents, _ *Rules) {
			clear(c.tagged)
			c.named = map[digest.Digest]bool{index: true}
		}, ""},
		{"a pod names the image in it", func(c *contents, _ *Rules) {
			clear(c.tagged)
			c.named = map[digest.Digest]bool{image: true}
		}, "remove manifest I"},
		{"a blob that nothing names", func(c *contents, _ *Rules) { c.blobs[other] = old }, "remove blob O"},
		{"a blob that was just pushed", func(c *contents, _ *Rules) { c.blobs[other] = young }, ""},
		{"a signature of the image", func(c *contents, _ *Rules) {
			c.manifests[signature] = held{subject: image, blobs: []digest.Digest{other}, time: old}
			c.blobs[other] = old
		}, ""},
		{"a signature of what is not here", func(c *contents, _ *Rules) {
			c.manifests[signature] = held{subject: "gone", blobs: []digest.Digest{other}, time: old}
			c.blobs[other] = old
		}, "remove manifest S; remove blob O"},
		{"a signature of what goes", func(c *contents, _ *Rules) {
			clear(c.tagged)
			c.manifests[signature] = held{subject: image, time: old}
		}, "remove manifest I; remove manifest M; remove manifest S; remove blob L"},
		{"two that refer to each other", func(c *contents, _ *Rules) {
			c.manifests["A"] = held{subject: "B", time: old}
			c.manifests["B"] = held{subject: "A", time: old}
		}, "remove manifest A; remove manifest B"},
	} {
		t.Run(c.name, func(t *testing.T) {
			state := contents{
				manifests: map[digest.Digest]held{
					index: {children: []digest.Digest{image}, time: old},
					image: {blobs: []digest.Digest{layer}, time: old},
				},
				blobs:  map[digest.Digest]time.Time{layer: old},
				tagged: map[digest.Digest]bool{index: true},
			}
			rules := Rules{Grace: time.Hour, Untagged: 24 * time.Hour}
			c.change(&state, &rules)
			if got := state.plan(rules, now).String(); got != c.want {
				t.Errorf("plan %q, want %q", got, c.want)
			}
		})
	}
}
