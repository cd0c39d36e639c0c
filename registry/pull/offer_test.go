package pull

import (
	"slices"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// TestAsk has the engine ask for an image's layers in some order: until it has asked for as many as it does at once, or
// for all, more may come that lie lower.
func TestAsk(t *testing.T) {
	all := []v1.Hash{{Hex: "a"}, {Hex: "b"}, {Hex: "c"}, {Hex: "d"}, {Hex: "e"}}
	for _, c := range []struct {
		name   string
		layers []v1.Hash
		asks   []int
		enough bool
		above  []v1.Hash
	}{
		{"the first of many", all, []int{2}, false, all[3:]},
		{"one twice", all, []int{2, 2}, false, all[3:]},
		{"three, the base last", all, []int{2, 1, 0}, true, all[1:]},
		{"three, the engine has the base", all, []int{3, 1, 2}, true, all[2:]},
		{"the only one", all[:1], []int{0}, true, nil},
		{"the uppermost", all, []int{4}, false, nil},
	} {
		o := offer{order: c.layers, layers: map[v1.Hash]offered{}, wanted: map[v1.Hash]bool{}}
		for _, l := range c.layers {
			o.layers[l] = offered{}
		}
		enough := false
		for _, i := range c.asks {
			enough = o.ask(c.layers[i])
		}
		if enough != c.enough {
			t.Errorf("%s: enough %t", c.name, enough)
		}
		if got := o.above(); !slices.Equal(got, c.above) {
			t.Errorf("%s: %v are above, want %v", c.name, got, c.above)
		}
		if again := o.above(); again != nil {
			t.Errorf("%s: %v again", c.name, again)
		}
	}
}
