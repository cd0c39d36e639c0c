package line

import (
	"strings"
)

// Cursor is the place where a text ends, for completion.
type Cursor struct {
	Words  []string // of the command at the cursor, before the word under it; quotes removed
	Word   string   // the word under the cursor, quotes removed; may be empty
	Start  int      // where that word begins in the text, in bytes
	Quote  byte     // the quote it is inside of, or 0
	System bool     // the command belongs to the system's shell
	File   bool     // the word is the target of a redirection
}

// AtEnd finds what stands at the end of text, whole or not.
func AtEnd(text string) Cursor {
	l := lex(text)
	c := Cursor{Start: len(text), Quote: l.quote}
	tokens := l.tokens
	if n := len(tokens); n > 0 && tokens[n-1].kind == word && tokens[n-1].end == len(text) {
		c.Word, c.Start = tokens[n-1].text, tokens[n-1].start
		tokens = tokens[:n-1]
	}
	piped := false
	for i, t := range tokens {
		switch {
		case t.kind == system:
			c.System = true
		case t.kind == operator && endsStage(t.text):
			c.Words, piped = nil, t.text == "|"
			c.System = false
		case t.kind == word && !isTarget(tokens, i):
			c.Words = append(c.Words, t.text)
		}
	}
	c.File = isTarget(tokens, len(tokens))
	c.System = c.System || piped
	return c
}

// isTarget reports whether the token at i follows a redirection that wants a word.
func isTarget(tokens []token, i int) bool {
	if i == 0 || tokens[i-1].kind != operator {
		return false
	}
	op := tokens[i-1].text
	return op != "2>&1" && strings.ContainsAny(op, "<>")
}

// Quote returns s as one word of the language.
func Quote(s string) string {
	if s != "" && !strings.ContainsAny(s, " \t\r\n|;<>'\"\\&") && s[0] != '#' && s[0] != '!' && s[0] != '~' {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
