package pull

import "testing"

// TestSegments divides layers among the connections.
func TestSegments(t *testing.T) {
	for size, want := range map[int64]int64{
		0: leastSegment, 100: leastSegment, 5 << 20: leastSegment, 16 << 20: 2 << 20,
		32 << 20: mostSegment, 48 << 20: 3 << 20, 1 << 30: mostSegment,
	} {
		if got := segmentOf(size); got != want {
			t.Errorf("a layer of %d bytes has segments of %d, want %d", size, got, want)
		}
	}
}
