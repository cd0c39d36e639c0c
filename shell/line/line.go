// Package line is the language of the prompt and of scripts: it turns text into commands to run.
//
//	get pods -o wide | grep web > web.txt && logs "deploy/web"   # a comment
//	!date; cat notes.txt                                         for the system's shell, up to the end of the line
//	apply -f - <<EOF
//	kind: Namespace …
//	EOF
//
// Words are split at blanks; '…', "…" and \ quote as in POSIX shells; ~/ at the start of a word is the home directory.
// Nothing else is expanded, so that JSONPath and Go templates need no quotes unless they hold blanks or operators.
// In a pipe the first command is Leme's and the others are the system's, except those of Leme's that read their
// standard input with -f -.
package line

import (
	"errors"
	"fmt"
	"strings"
)

// ErrIncomplete marks text that ends inside a quote, a here document, a pipe or after a backslash: more may follow.
var ErrIncomplete = errors.New("incomplete")

// Error says what is wrong with a text, and where.
type Error struct {
	Line    int // from 1
	Message string
	more    bool
}

func (e *Error) Error() string { return e.Message }

// Is makes errors.Is(err, ErrIncomplete) answer.
func (e *Error) Is(target error) bool { return target == ErrIncomplete && e.more }

// Step is one pipeline and when it runs.
type Step struct {
	When   When
	Stages []Stage
	Line   int // of its first word, from 1
}

// When says whether a step runs, by how the step before it ended.
type When int

// A step runs always, after success, or after failure.
const (
	Always When = iota
	AfterSuccess
	AfterFailure
)

// Stage is one command of a pipeline.
type Stage struct {
	Words     []string // quotes removed
	Raw       string   // as typed, redirections included
	System    bool     // begun with "!": Raw is the text for the system's shell
	Redirects []Redirect
}

// Redirect connects one of a stage's streams to a file, to text or to another stream.
type Redirect struct {
	Stream int    // 0, 1 or 2
	Path   string // of a file; empty for a here document and for Merge
	Append bool
	Text   string // the here document's
	Merge  bool   // standard error goes where standard output goes
}

// Parse reads a text. home replaces ~.
func Parse(text, home string) ([]Step, error) {
	l := lex(text)
	p := parser{src: text, home: home, tokens: l.tokens}
	steps, err := p.steps()
	if l.open != "" {
		return nil, &Error{Line: l.openAt, Message: l.open, more: true}
	}
	return steps, err
}

type parser struct {
	src    string
	home   string
	tokens []token
}

func (p *parser) peek() (token, bool) {
	if len(p.tokens) == 0 {
		return token{}, false
	}
	return p.tokens[0], true
}

func (p *parser) take() token {
	t := p.tokens[0]
	p.tokens = p.tokens[1:]
	return t
}

// takeOp takes the next token if it is one of these operators.
func (p *parser) takeOp(ops ...string) (token, bool) {
	t, ok := p.peek()
	if !ok || t.kind != operator {
		return token{}, false
	}
	for _, op := range ops {
		if t.text == op {
			return p.take(), true
		}
	}
	return token{}, false
}

func (p *parser) steps() ([]Step, error) {
	var steps []Step
	when := Always
	for {
		for p.skipped(when) {
		}
		if _, more := p.peek(); !more {
			if when != Always {
				return nil, &Error{Line: p.lastLine(), Message: "a command is missing after && or ||", more: true}
			}
			return steps, nil
		}
		step, err := p.step(when)
		if err != nil {
			return nil, err
		}
		steps = append(steps, step)
		if when, err = p.joint(); err != nil {
			return nil, err
		}
	}
}

// skipped takes an empty command's separator: a line end always, a semicolon only where a new step may begin.
func (p *parser) skipped(when When) bool {
	if _, ok := p.takeOp("\n"); ok {
		return true
	}
	if when != Always {
		return false
	}
	_, ok := p.takeOp(";")
	return ok
}

// joint reads what stands between two steps.
func (p *parser) joint() (When, error) {
	t, more := p.peek()
	if !more {
		return Always, nil
	}
	p.take()
	switch t.text {
	case "&&":
		return AfterSuccess, nil
	case "||":
		return AfterFailure, nil
	case ";", "\n":
		return Always, nil
	case "&":
		return Always, &Error{Line: t.line, Message: "there are no background commands: open a second shell, or quote the &"}
	}
	return Always, unexpected(t)
}

func unexpected(t token) error {
	return &Error{Line: t.line, Message: fmt.Sprintf("%q is not expected here: quote it if it is text", t.text)}
}

func (p *parser) lastLine() int { return 1 + strings.Count(p.src, "\n") }
