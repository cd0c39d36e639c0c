package line

import "strings"

// kind tells tokens apart.
type kind int

const (
	word     kind = iota
	operator      // one of operators
	system        // the text after "!", for the system's shell
)

// operators in the order in which they are tried: the longest first.
func operators() []string {
	return []string{"2>&1", "2>>", "<<-", "2>", "1>", "&&", "||", ">>", "<<", "|", ";", "<", ">", "\n"}
}

type token struct {
	kind       kind
	text       string // of a word: quotes and escapes removed
	start, end int    // in the source
	line       int    // of its start, from 1
	tilde      bool   // the word began with an unquoted ~
	body       string // of a here document, on its operator
}

// lexer splits a source into tokens.
type lexer struct {
	src    string
	pos    int
	line   int
	tokens []token
	fresh  bool   // at the start of a command: "!" means the system's shell
	open   string // what the source ended inside of; empty when it is whole
	openAt int    // the line on which that began
	quote  byte   // the quote that open speaks of
}

func lex(src string) *lexer {
	l := &lexer{src: src, line: 1, fresh: true}
	for l.next() {
	}
	if n := len(l.tokens); l.open == "" && n > 0 && !l.tokens[n-1].isLineEnd() {
		l.hereDocuments()
	}
	return l
}

// next reads one token and reports whether there may be more.
func (l *lexer) next() bool {
	l.skipBlank()
	if l.pos >= len(l.src) {
		return false
	}
	if l.fresh && l.src[l.pos] == '!' {
		l.systemLine()
		return true
	}
	if op := l.operator(); op != "" {
		l.emit(token{kind: operator, text: op, start: l.pos, end: l.pos + len(op), line: l.line})
		l.pos += len(op)
		l.fresh = op == "\n" || op == ";" || op == "&&" || op == "||"
		if op == "\n" {
			l.line++
			l.hereDocuments()
		}
		return true
	}
	l.word()
	l.fresh = false
	return true
}

func (l *lexer) emit(t token) { l.tokens = append(l.tokens, t) }

// unfinished notes what the source ends inside of.
func (l *lexer) unfinished(what string, line int) { l.open, l.openAt = what, line }

// skipBlank passes over spaces, continued line ends and comments.
func (l *lexer) skipBlank() {
	for l.pos < len(l.src) {
		rest := l.src[l.pos:]
		switch {
		case rest[0] == ' ' || rest[0] == '\t' || rest[0] == '\r':
			l.pos++
		case strings.HasPrefix(rest, "\\\n"):
			l.pos++
			l.continued()
		case rest[0] == '#':
			end := strings.IndexByte(rest, '\n')
			if end < 0 {
				end = len(rest)
			}
			l.pos += end
		default:
			return
		}
	}
}

func (l *lexer) operator() string {
	rest := l.src[l.pos:]
	for _, op := range operators() {
		if strings.HasPrefix(rest, op) {
			return op
		}
	}
	if rest[0] == '&' && (len(rest) == 1 || strings.IndexByte(" \t\n;", rest[1]) >= 0) {
		return "&" // within a word, as in an address, it is a letter like any other
	}
	return ""
}

// systemLine takes everything up to the end of the line: what it means is the system's business.
func (l *lexer) systemLine() {
	start := l.pos
	for l.pos++; l.pos < len(l.src) && l.src[l.pos] != '\n'; l.pos++ {
		if l.src[l.pos] == '\\' && l.pos+1 < len(l.src) {
			l.pos++
		}
	}
	text := strings.TrimSpace(l.src[start+1 : l.pos])
	l.emit(token{kind: system, text: text, start: start, end: l.pos, line: l.line})
	l.line += strings.Count(l.src[start:l.pos], "\n")
	l.fresh = false
}

// word reads one word: letters, quoted runs and escapes up to a blank or an operator.
func (l *lexer) word() {
	t := token{kind: word, start: l.pos, line: l.line, tilde: l.src[l.pos] == '~'}
	var text strings.Builder
	for l.pos < len(l.src) && l.open == "" {
		c := l.src[l.pos]
		if strings.IndexByte(" \t\r\n|;<>", c) >= 0 || (c == '&' && l.operator() != "") {
			break
		}
		l.pos++
		switch c {
		case '\\':
			l.escape(&text)
		case '\'':
			l.single(&text)
		case '"':
			l.double(&text)
		default:
			text.WriteByte(c)
		}
	}
	t.text, t.end = text.String(), l.pos
	l.emit(t)
}

func (l *lexer) escape(text *strings.Builder) {
	if l.pos >= len(l.src) {
		l.unfinished("a \\ at the end", l.line)
		return
	}
	if l.src[l.pos] == '\n' {
		l.continued()
		return
	}
	text.WriteByte(l.src[l.pos])
	l.pos++
}

// continued passes over a line end that does not count; what follows it is part of the line.
func (l *lexer) continued() {
	l.pos++
	l.line++
	if l.pos >= len(l.src) {
		l.unfinished("a \\ at the end", l.line-1)
	}
}

func (l *lexer) single(text *strings.Builder) {
	end := strings.IndexByte(l.src[l.pos:], '\'')
	if end < 0 {
		l.unfinished("a ' that is not closed", l.line)
		l.quote = '\''
		end = len(l.src) - l.pos
	}
	inside := l.src[l.pos : l.pos+end]
	text.WriteString(inside)
	l.line += strings.Count(inside, "\n")
	l.pos = min(l.pos+end+1, len(l.src))
}

func (l *lexer) double(text *strings.Builder) {
	began := l.line
	for l.pos < len(l.src) {
		c := l.src[l.pos]
		l.pos++
		switch {
		case c == '"':
			return
		case c == '\n':
			l.line++
		case c == '\\' && l.pos < len(l.src) && strings.IndexByte("\"\\$`\n", l.src[l.pos]) >= 0:
			c = l.src[l.pos]
			l.pos++
			if c == '\n' {
				l.line++
				continue
			}
		}
		text.WriteByte(c)
	}
	l.unfinished(`a " that is not closed`, began)
	l.quote = '"'
}
