package probe

import (
	"context"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// TestNoAnswerIsNoVerdict: a container is not unwell because its engine hangs.
func TestNoAnswerIsNoVerdict(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	handler := &corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: []string{"c"}}}
	for _, tc := range []struct {
		err     error
		verdict bool
	}{
		{ctx.Err(), true},
		{fmt.Errorf("creating exec: %w", ErrNoAnswer), false},
	} {
		exec := func(context.Context, []string) ([]byte, int, error) { return nil, 0, tc.err }
		ok, output, err := Check(ctx, handler, Target{Exec: exec})
		if ok || (err == nil) != tc.verdict {
			t.Errorf("%v: %t %q %v", tc.err, ok, output, err)
		}
	}
}
