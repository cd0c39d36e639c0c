package docker

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestEchoes: what is sent twice is told once, and only that.
func TestEchoes(t *testing.T) {
	at := func(n int) time.Time { return time.Unix(1000, int64(n)) }
	for _, c := range []struct{ name, sent, want string }{ // records as time:text, where / ends a line
		{"nothing twice", "1:a/ 2:a/ 3:b/", "a/a/b/"},
		{"the last one again", "1:a/ 2:b/ 2:b/ 3:c/", "a/b/c/"},
		{"several again", "1:a/ 2:b/ 3:c/ 2:b/ 3:c/ 4:d/", "a/b/c/d/"},
		{"at one moment, but another", "1:a/ 1:b/", "a/b/"},
		{"pieces that are alike", "1:xx 1:xx 1:x/ 2:y/", "xxxxx/y/"},
		{"a line of pieces again", "1:xx 1:xx 1:x/ 1:xx 1:xx 1:x/ 2:y/", "xxxxx/y/"},
		{"the clock goes back", "5:a/ 1:b/ 2:c/", "a/b/c/"},
	} {
		var e echoes
		var got strings.Builder
		for _, record := range strings.Fields(c.sent) {
			var n int
			var text string
			if _, err := fmt.Sscanf(strings.Replace(record, ":", " ", 1), "%d %s", &n, &text); err != nil {
				t.Fatal(err)
			}
			if !e.again(entry{time: at(n), text: []byte(strings.ReplaceAll(text, "/", "\n"))}) {
				got.WriteString(text)
			}
		}
		if got.String() != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got.String(), c.want)
		}
	}
	var e echoes
	for i := range 3 * echoMemory {
		e.again(entry{time: at(i), text: []byte("x\n")})
	}
	if len(e.seen) != echoMemory || len(e.order) != echoMemory {
		t.Errorf("remembers %d records", len(e.seen))
	}
}
