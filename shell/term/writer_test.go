package term

import (
	"bytes"
	"testing"

	"github.com/c-bata/go-prompt"
)

func TestWriter(t *testing.T) {
	for _, c := range []struct {
		name  string
		plain bool
		write func(*Writer)
		want  string
	}{
		{"text without escapes", false, func(w *Writer) { w.WriteStr("a\x1b[2Jb") }, "a?[2Jb"},
		{"moves", false, func(w *Writer) { w.CursorUp(2); w.CursorUp(0); w.CursorBackward(-3) }, "\x1b[2A\x1b[3C"},
		{"colours", false, func(w *Writer) { w.SetColor(prompt.Red, prompt.DefaultColor, false) }, "\x1b[0;91;49m"},
		{"bold", false, func(w *Writer) { w.SetColor(prompt.Black, prompt.Turquoise, true) }, "\x1b[1;30;106m"},
		{"no colours", true, func(w *Writer) { w.SetColor(prompt.Red, prompt.Cyan, false) }, "\x1b[0;0m"},
		{"selected without colours", true, func(w *Writer) { w.SetColor(prompt.Red, prompt.Cyan, true) }, "\x1b[0;7m"},
		{"muted", false, func(w *Writer) { w.WriteRawStr("a"); w.Mute(true) }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out bytes.Buffer
			w := NewWriter(&out, c.plain)
			c.write(w)
			if err := w.Flush(); err != nil || out.String() != c.want {
				t.Errorf("got %q, %v, want %q", out.String(), err, c.want)
			}
		})
	}
}
