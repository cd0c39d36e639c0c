package rest

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"leme/server/kind"
)

// TestAgesReadAsKubernetesWritesThem compares with the cell's own text, at every magnitude.
func TestAgesReadAsKubernetesWritesThem(t *testing.T) {
	now := time.Unix(2_000_000_000, 123)
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.SampledFrom([]int64{3, 2 * minute, 10 * minute, 3 * hour, 8 * hour, 2 * day, 8 * day, 2 * year, 8 * year, 20 * year}).Draw(t, "up to")
		seconds := now.Unix() - rapid.Int64Range(-5, limit+5).Draw(t, "ago")
		want := kind.Age(metav1.Unix(seconds, 0)).At(now)
		if got := string(appendAge(nil, seconds, now)); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	})
}
