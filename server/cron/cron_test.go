package cron

import (
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	from := time.Date(2026, 3, 1, 10, 30, 0, 0, time.UTC)
	for text, want := range map[string]string{"*/15 * * * *": "2026-03-01T10:45:00Z", "@daily": "2026-03-02T00:00:00Z", "0 6 * * 1-5": "2026-03-02T06:00:00Z"} {
		s, err := Parse(text)
		if err != nil || s.Next(from).Format(time.RFC3339) != want {
			t.Errorf("%s: next at %v, not %s: %v", text, s, want, err)
		}
	}
	for _, text := range []string{"", "* * * *", "61 * * * *", "TZ=0", "@often"} {
		if s, err := Parse(text); err == nil {
			t.Errorf("%q is read as %v", text, s)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("*/5 * * * *")
	f.Add("TZ=UTC @every 1h")
	f.Fuzz(func(_ *testing.T, text string) {
		if s, err := Parse(text); err == nil {
			s.Next(time.Unix(0, 0))
		}
	})
}
