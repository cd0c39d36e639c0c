package resource

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"pgregory.net/rapid"

	"leme/server/store"
)

// TestKeptLabelsSelectAsLabelsDo compares them with the map they are made from.
func TestKeptLabelsSelectAsLabelsDo(t *testing.T) {
	text := rapid.StringMatching(`[a-c]{0,2}`)
	rapid.Check(t, func(t *rapid.T) {
		set := rapid.MapOf(text, text).Draw(t, "labels")
		it := store.NewItem(store.Key{}, 1, nil, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Labels: set}})
		kept, err := labelsOf(it)
		if err != nil {
			t.Fatal(err)
		}
		label := text.Draw(t, "label")
		if kept.Has(label) != labels.Set(set).Has(label) || kept.Get(label) != set[label] {
			t.Errorf("label %q of %v is %q", label, set, kept.Get(label))
		}
	})
}
