package pull

import "testing"

// TestSegments divides layers among the connections.
func TestSegments(t *testing.T) {
	for size, want := range map[int64]int64{
		0: segmentSize, 100: segmentSize, 9 << 20: segmentSize, 32 << 20: segmentSize, 48 << 20: 3 << 20, 1 << 30: segmentSize,
	} {
		if got := segmentOf(size); got != want {
			t.Errorf("a layer of %d bytes has segments of %d, want %d", size, got, want)
		}
	}
}
