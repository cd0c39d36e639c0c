package term

import (
	"strings"
	"testing"
	"time"
)

// typed is a terminal on which this has been typed.
type typed struct{ rest string }

func (t *typed) next(time.Duration) (byte, bool) {
	if t.rest == "" {
		return 0, false
	}
	b := t.rest[0]
	t.rest = t.rest[1:]
	return b, true
}

// decode returns all keys of what was typed; those that mean nothing are "".
func decode(text string) []string {
	d := decoder{in: &typed{text}}
	var keys []string
	for {
		b, ok := d.next(0)
		if !ok {
			return keys
		}
		keys = append(keys, string(d.key(b)))
	}
}

func TestKeys(t *testing.T) {
	for _, c := range []struct {
		name, typed string
		want        []string
	}{
		{"text and Enter in one read", "get\r", []string{"get", "\r"}},
		{"letters of several bytes", "äß→", []string{"äß→"}},
		{"bytes that are no letters", "a\xffb\xc3", []string{"ab"}},
		{"control keys", "\x03\x04\x7f", []string{"\x03", "\x04", "\x7f"}},
		{"arrows", "\x1b[A\x1b[B", []string{"\x1b[A", "\x1b[B"}},
		{"Home and End in application mode", "\x1bOH\x1bOF", []string{"\x1b[H", "\x1b[F"}},
		{"Escape alone", "\x1b", []string{"\x1b"}},
		{"Alt with a bound letter", "\x1bb", []string{"\x1bb"}},
		{"Alt with another", "\x1bxy", []string{"", "y"}},
		{"unknown sequences", "\x1b[99;5u\x1b[I\x1b[?1;2cok", []string{"", "", "", "ok"}},
		{"a sequence cut off", "\x1b[1;", []string{""}},
		{"paste", "\x1b[200~get pods\n\x1b[201~x", []string{"get pods", "x"}},
		{"paste of lines and tabs", "\x1b[200~a <<E\r\n\tb\nE\x1b[201~", []string{"a <<E␊␉b␊E"}},
		{"paste with escapes", "\x1b[200~a\x1b[Ab\x07\x1b[201~", []string{"a[Ab"}},
		{"paste cut off", "\x1b[200~abc", []string{"abc"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := decode(c.typed); strings.Join(got, "|") != strings.Join(c.want, "|") {
				t.Errorf("%q: got %q, want %q", c.typed, got, c.want)
			}
		})
	}
}

func TestPasteIsBounded(t *testing.T) {
	keys := decode("\x1b[200~" + strings.Repeat("x", maxPaste+100) + "\x1b[201~\r")
	if len(keys) != 2 || len(keys[0]) > maxPaste || keys[1] != "\r" {
		t.Errorf("got %d keys, the first of %d bytes", len(keys), len(keys[0]))
	}
}

func TestMarks(t *testing.T) {
	text := "a <<E\n\tb\nE"
	if got := Unmarked(Marked(text)); got != text {
		t.Errorf("got %q", got)
	}
}

// FuzzKeys holds that no bytes upset the decoder, and that go-prompt gets no control characters within text.
func FuzzKeys(f *testing.F) {
	for _, seed := range []string{"get\r", "\x1b[200~a\x1b[201~", "\x1b[1;5A", "\xff\x1b\x1b[", "ä\x1bO"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, key := range decode(text) {
			if len(key) > 1 && key[0] != escape && strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Fatalf("%q gave the key %q", text, key)
			}
		}
	})
}
