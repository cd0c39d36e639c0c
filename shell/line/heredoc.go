package line

import "strings"

// hereDocuments reads the bodies of the here documents that the line just ended announced, in their order. At the end of
// the source nothing can follow, so that any announced one is open.
func (l *lexer) hereDocuments() {
	for i := l.lineStart(); i+1 < len(l.tokens); i++ {
		t := &l.tokens[i]
		if t.kind != operator || !strings.HasPrefix(t.text, "<<") || l.tokens[i+1].kind != word {
			continue
		}
		if !l.body(t, l.tokens[i+1].text) {
			l.unfinished("a here document without its closing "+l.tokens[i+1].text, t.line)
			return
		}
	}
}

// lineStart is the index of the first token of the last line, its line end left aside.
func (l *lexer) lineStart() int {
	first := len(l.tokens)
	if first > 0 && l.tokens[first-1].isLineEnd() {
		first--
	}
	for first > 0 && !l.tokens[first-1].isLineEnd() {
		first--
	}
	return first
}

func (t token) isLineEnd() bool { return t.kind == operator && t.text == "\n" }

// body reads lines into t up to the one that is end. With <<- leading tabs do not count.
func (l *lexer) body(t *token, end string) bool {
	var body strings.Builder
	for l.pos < len(l.src) {
		text, _, whole := strings.Cut(l.src[l.pos:], "\n")
		l.pos += len(text)
		if whole {
			l.pos++
		}
		l.line++
		if t.text == "<<-" {
			text = strings.TrimLeft(text, "\t")
		}
		if text == end {
			t.body = body.String()
			return true
		}
		body.WriteString(text + "\n")
	}
	return false
}
