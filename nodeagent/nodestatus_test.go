package nodeagent

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestDue: a status goes up when it says something new, and now and then, however the clock is set.
func TestDue(t *testing.T) {
	now := time.Now()
	status := func(beat time.Time, ready corev1.ConditionStatus) corev1.NodeStatus {
		return corev1.NodeStatus{Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: ready, LastHeartbeatTime: metav1.NewTime(beat)}}}
	}
	for _, c := range []struct {
		name  string
		last  time.Duration // ago
		ready corev1.ConditionStatus
		want  bool
	}{
		{"told a minute ago", time.Minute, corev1.ConditionTrue, false},
		{"told a while ago", heartbeat, corev1.ConditionTrue, true},
		{"changed", time.Minute, corev1.ConditionFalse, true},
		{"the clock was set back", -3 * time.Hour, corev1.ConditionTrue, true},
	} {
		if got := due(status(now.Add(-c.last), c.ready), status(now, corev1.ConditionTrue), now); got != c.want {
			t.Errorf("%s: %t", c.name, got)
		}
	}
}
