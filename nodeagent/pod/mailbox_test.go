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
	w.keep(at("10", true))
	w.update(at("9", false))
	w.keep(at("9", false))
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
