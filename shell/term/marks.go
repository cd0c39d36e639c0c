package term

import (
	"strings"
	"unicode"
)

// Marked returns text as one line that go-prompt can edit: marks for line ends and tabs, no other control characters.
func Marked(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r':
			return LineEndMark
		case r == '\t':
			return TabMark
		case unicode.IsControl(r):
			return -1
		}
		return r
	}, text)
}

// Unmarked undoes Marked.
func Unmarked(text string) string {
	return strings.NewReplacer(string(LineEndMark), "\n", string(TabMark), "\t").Replace(text)
}
