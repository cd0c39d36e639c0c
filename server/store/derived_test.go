package store

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
)

// counted is a cache of pods that counts how often it decodes one.
func counted(decoded *int) *cache {
	return newCache(func(schema.GroupResource, []byte) (runtime.Object, error) {
		*decoded++
		return &corev1.Pod{}, nil
	}, unsealed{})
}

func storedPod(t *testing.T, c *cache, name string, revision int64) *Item {
	t.Helper()
	it, err := c.item(Key{GroupResource: schema.GroupResource{Resource: "pods"}, Namespace: "default", Name: name}, revision,
		[]byte(`{"kind":"Pod","apiVersion":"v1","metadata":{"name":"`+name+`"}}`))
	if err != nil {
		t.Fatal(err)
	}
	return it
}

// TestFormsStayWhileUsed: what was used since the last tidying stays, what was not goes, and can be made again.
func TestFormsStayWhileUsed(t *testing.T) {
	var decoded int
	c := counted(&decoded)
	idle, busy := storedPod(t, c, "idle", 1), storedPod(t, c, "busy", 2)
	c.load([]*Item{idle, busy}, 2)
	use := func(it *Item) runtime.Object {
		obj, err := it.Object()
		if err != nil {
			t.Fatal(err)
		}
		return obj
	}
	first := use(busy)
	use(idle)
	if _, err := idle.Keep("small", func(*Item) ([]byte, error) { return []byte("kept"), nil }); err != nil {
		t.Fatal(err)
	}
	for round := range 3 {
		gone, all := c.forget()
		if want := len(idle.JSON); (gone == want) != (round == 1) || all != want+len(busy.JSON) {
			t.Errorf("round %d: %d of %d bytes are forgotten", round, gone, all)
		}
		if use(busy) != first {
			t.Errorf("round %d: what is in use was made again", round)
		}
	}
	if use(idle); decoded != 3 {
		t.Errorf("%d were decoded, not one of two once more", decoded)
	}
	if kept, err := idle.Keep("small", nil); err != nil || string(kept) != "kept" {
		t.Errorf("what is small was not kept: %q, %v", kept, err)
	}
}

// TestFormsOfFormerStatesGo: events hold them, too.
func TestFormsOfFormerStatesGo(t *testing.T) {
	var decoded int
	c := counted(&decoded)
	first, second := storedPod(t, c, "p", 1), storedPod(t, c, "p", 2)
	c.apply([]Event{{Type: watch.Modified, Item: first}}, 1)
	c.apply([]Event{{Type: watch.Modified, Item: second}}, 2)
	c.apply([]Event{{Type: watch.Deleted, Item: &Item{Key: second.Key, Revision: 3}}}, 3)
	for _, it := range []*Item{first, second} {
		if _, err := it.Object(); err != nil {
			t.Fatal(err)
		}
	}
	if gone, _ := c.forget(); gone != 0 {
		t.Errorf("%d bytes are forgotten that were just used", gone)
	}
	if gone, _ := c.forget(); gone != len(first.JSON)+len(second.JSON) {
		t.Errorf("%d bytes are forgotten", gone)
	}
}

func TestWorthGiving(t *testing.T) {
	for _, c := range []struct {
		name                 string
		forgotten, gone, all int
		want                 bool
	}{
		{"nothing", 0, 0, 100 << 20, false},
		{"little", 1 << 20, 0, 2 << 20, false},
		{"a small part", 5 << 20, 0, 100 << 20, false},
		{"more is coming", 30 << 20, 20 << 20, 100 << 20, false},
		{"all has come", 30 << 20, 1 << 20, 100 << 20, true},
	} {
		if got := worthGiving(c.forgotten, c.gone, c.all); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
