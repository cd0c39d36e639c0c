package completion

import "strings"

// Engine completes lines of one command tree. It is safe for concurrent use when its sources are.
type Engine struct {
	root    *Command
	sources Sources
}

// New makes an engine over a tree of commands.
func New(root *Command, sources Sources) *Engine { return &Engine{root, sources} }

// Complete returns what can stand at the cursor, best first.
func (e *Engine) Complete(r Request) []Candidate {
	c := cursor{Engine: e, line: parse(e.root, r.Words), word: r.Word}
	c.where = c.scope(r)
	return c.complete()
}

// cursor is one question.
type cursor struct {
	*Engine
	line
	where Scope
	word  string
}

func (c *cursor) complete() []Candidate {
	switch {
	case c.pending != nil:
		return c.flagValue(*c.pending, c.word)
	case !c.dashes && strings.HasPrefix(c.word, "--") && strings.Contains(c.word, "="):
		name, value, _ := strings.Cut(c.word, "=")
		f := c.flag(c.root, name)
		if f == nil {
			return nil
		}
		return prefixed(name+"=", c.flagValue(*f, value))
	case !c.dashes && strings.HasPrefix(c.word, "-"):
		return match(c.word, c.flagNames())
	case !c.dashes && len(c.args) == 0 && len(c.command.Subs) > 0:
		return match(c.word, c.commandNames())
	}
	if complete := argumentsOf(c.path); complete != nil {
		return complete(c)
	}
	return nil
}

func (c *cursor) commandNames() []Candidate {
	var names []Candidate
	for _, s := range c.command.Subs {
		names = append(names, Candidate{Text: s.Name, Description: s.Short})
	}
	return names
}

// flagNames leaves out what the line has already, unless it can be given again.
func (c *cursor) flagNames() []Candidate {
	var names []Candidate
	for _, of := range []*Command{c.command, c.root} {
		for _, f := range of.Flags {
			if _, given := c.flags[f.Name]; given && f.Bool {
				continue
			}
			names = append(names, Candidate{Text: "--" + f.Name, Description: f.Usage})
		}
		if c.command == c.root {
			break
		}
	}
	return names
}

// flagValue completes what a flag takes.
func (c *cursor) flagValue(f Flag, word string) []Candidate {
	v := *c
	v.word = word
	if complete := valuesOf(c.path, f.Name); complete != nil {
		return complete(&v)
	}
	return nil
}

// prefixed puts what stands before the completed part back in front.
func prefixed(prefix string, candidates []Candidate) []Candidate {
	for i := range candidates {
		candidates[i].Text = prefix + candidates[i].Text
	}
	return candidates
}
