package line

import (
	"strings"
)

// step reads one pipeline.
func (p *parser) step(when When) (Step, error) {
	first, _ := p.peek()
	step := Step{When: when, Line: first.line}
	for {
		stage, err := p.stage(len(step.Stages) > 0)
		if err != nil {
			return Step{}, err
		}
		step.Stages = append(step.Stages, stage)
		bar, ok := p.takeOp("|")
		if !ok {
			return step, nil
		}
		if stage.System {
			return Step{}, unexpected(bar) // cannot be: a system line holds its bars
		}
		for {
			if _, ok := p.takeOp("\n"); !ok {
				break
			}
		}
		if _, more := p.peek(); !more {
			return Step{}, &Error{Line: bar.line, Message: "a command is missing after |", more: true}
		}
	}
}

// stage reads one command: words and redirections up to an operator that ends it.
func (p *parser) stage(piped bool) (Stage, error) {
	first, _ := p.peek()
	if first.kind == system {
		p.take()
		if first.text == "" {
			return Stage{}, &Error{Line: first.line, Message: "name a command of the system after !"}
		}
		return Stage{System: true, Raw: first.text}, nil
	}
	var s Stage
	end := first.start
	for {
		t, more := p.peek()
		if !more || (t.kind == operator && endsStage(t.text)) {
			break
		}
		p.take()
		end = t.end
		if t.kind == word {
			s.Words = append(s.Words, p.expand(t))
			continue
		}
		r, last, err := p.redirect(t)
		if err != nil {
			return Stage{}, err
		}
		if piped && r.Text != "" {
			return Stage{}, &Error{Line: t.line, Message: "a here document belongs to the first command of a pipe"}
		}
		end = max(end, last)
		s.Redirects = append(s.Redirects, r)
	}
	s.Raw = strings.TrimSpace(p.src[first.start:end])
	if len(s.Words) == 0 {
		if t, more := p.peek(); more && len(s.Redirects) == 0 {
			return Stage{}, unexpected(t)
		}
		return Stage{}, &Error{Line: first.line, Message: "a command is missing before " + first.text}
	}
	return s, nil
}

func endsStage(op string) bool {
	switch op {
	case "|", "||", "&&", ";", "&", "\n":
		return true
	}
	return false
}

func (p *parser) expand(t token) string {
	if t.tilde && p.home != "" && (t.text == "~" || strings.HasPrefix(t.text, "~/")) {
		return p.home + t.text[1:]
	}
	return t.text
}

// redirect reads what follows a redirection's operator; last is the end of it in the source.
func (p *parser) redirect(op token) (r Redirect, last int, err error) {
	if op.text == "2>&1" {
		return Redirect{Stream: 2, Merge: true}, op.end, nil
	}
	target, more := p.peek()
	if !more || target.kind != word {
		return r, 0, &Error{Line: op.line, Message: "a file is missing after " + op.text}
	}
	p.take()
	path := p.expand(target)
	switch op.text {
	case "<":
		r = Redirect{Stream: 0, Path: path}
	case ">", "1>":
		r = Redirect{Stream: 1, Path: path}
	case ">>":
		r = Redirect{Stream: 1, Path: path, Append: true}
	case "2>":
		r = Redirect{Stream: 2, Path: path}
	case "2>>":
		r = Redirect{Stream: 2, Path: path, Append: true}
	default: // << and <<-
		r = Redirect{Stream: 0, Text: op.body}
	}
	return r, target.end, nil
}
