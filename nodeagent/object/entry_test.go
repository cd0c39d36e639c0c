package object

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestEntryTellsOfWhatDiffers: a list brings the same again and again; only what differs is told, also of the same version,
// as a server has it that has gone back to a backup and come further since.
func TestEntryTellsOfWhatDiffers(t *testing.T) {
	told := 0
	e := newEntry(key{})
	e.tell = func() { told++ }
	of := func(version, word string) *corev1.ConfigMap {
		return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "words", ResourceVersion: version}, Data: map[string]string{"word": word}}
	}
	for _, c := range []struct {
		version, word string
		want          int
	}{{"5", "first", 0}, {"5", "first", 0}, {"6", "first", 1}, {"6", "second", 2}, {"4", "third", 3}} {
		e.set(of(c.version, c.word))
		if told != c.want || (*e.object.Load()).(*corev1.ConfigMap).Data["word"] != c.word {
			t.Errorf("version %s, %s: told %d times, want %d", c.version, c.word, told, c.want)
		}
	}
}
