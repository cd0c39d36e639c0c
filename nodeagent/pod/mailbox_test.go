package pod

import (
	"log/slog"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestLateAnswers: what the watch has told is not forgotten when the answer to an earlier request comes after it.
func TestLateAnswers(t *testing.T) {
	at := func(version string, marked bool) *corev1.Pod {
		return bound(func(p *corev1.Pod) {
			if p.ResourceVersion = version; marked {
				p.DeletionTimestamp = &metav1.Time{}
			}
		})
	}
	w := newWorker(&Config{Logger: slog.New(slog.DiscardHandler)}, at("8", false), nil, nil)
	w.keep(at("10", true), 0)
	w.update(at("9", false))
	w.keep(at("9", false), 0)
	w.keep(at("9", false), 9) // a list from before
	if w.mail.pod.DeletionTimestamp == nil {
		t.Error("the worker has forgotten that its pod is deleted")
	}
	w.update(at("11", true))
	if w.mail.pod.ResourceVersion != "11" {
		t.Errorf("the worker has version %s", w.mail.pod.ResourceVersion)
	}
	w.lose(at("12", true))
	w.update(at("11", true))
	if !w.mail.gone || w.mail.pod.ResourceVersion != "12" {
		t.Errorf("a pod that is gone: %v, %s", w.mail.gone, w.mail.pod.ResourceVersion)
	}
}

// TestRestoredState: a list that tells of a past which was over counts, as the server has gone back to it. One that only
// began before an answer does not.
func TestRestoredState(t *testing.T) {
	at := func(v string) *corev1.Pod { return bound(func(p *corev1.Pod) { p.ResourceVersion = v }) }
	for _, c := range []struct {
		name                      string
		seen, known, listed, list string // versions: the newest of the watch, of the pod as it is known, of it on the list, of the list
		want                      string
	}{
		{"as usual", "20", "10", "20", "20", "20"},
		{"the list began before the answer to a request", "20", "30", "10", "25", "30"},
		{"the server has gone back", "40", "30", "10", "25", "10"},
		{"the server has gone back, and come further since", "40", "30", "10", "45", "10"},
	} {
		w := newWorker(&Config{Logger: slog.New(slog.DiscardHandler)}, at(c.known), nil, nil)
		m := NewManager(Config{Logger: slog.New(slog.DiscardHandler)})
		m.workers[w.uid] = w
		s := &podStore{m: m}
		s.UpdateResourceVersion(c.seen)
		if err := s.Replace([]any{at(c.listed)}, c.list); err != nil {
			t.Fatal(err)
		}
		if got := w.latest().ResourceVersion; got != c.want {
			t.Errorf("%s: the worker has version %s, want %s", c.name, got, c.want)
		}
	}
}
