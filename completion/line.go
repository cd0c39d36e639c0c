package completion

import "strings"

// line is what the words before the cursor say.
type line struct {
	command *Command // the innermost command named
	path    string   // its name: "rollout status"; empty at the root
	args    []string // positional arguments so far
	flags   map[string]string
	pending *Flag // the flag whose value stands at the cursor
	dashes  bool  // behind "--": nothing is a flag any more
}

// parse walks the words through the command tree. Words that fit nowhere count as arguments.
func parse(root *Command, words []string) line {
	l := line{command: root, flags: map[string]string{}}
	for _, word := range words {
		l.take(root, word)
	}
	return l
}

func (l *line) take(root *Command, word string) {
	switch {
	case l.pending != nil:
		l.flags[l.pending.Name] = word
		l.pending = nil
	case l.dashes:
		l.args = append(l.args, word)
	case word == "--":
		l.dashes = true
	case strings.HasPrefix(word, "-") && len(word) > 1:
		l.takeFlag(root, word)
	default:
		if sub := l.command.sub(word); sub != nil && len(l.args) == 0 {
			l.command = sub
			l.path = strings.TrimSpace(l.path + " " + sub.Name)
			return
		}
		l.args = append(l.args, word)
	}
}

func (l *line) takeFlag(root *Command, word string) {
	name, value, hasValue := strings.Cut(strings.TrimLeft(word, "-"), "=")
	f := l.flag(root, word)
	switch {
	case f == nil:
	case hasValue:
		l.flags[f.Name] = value
	case f.Bool:
		l.flags[f.Name] = "true"
	case !strings.HasPrefix(word, "--") && len(name) > 1: // -nkube-system
		l.flags[f.Name] = name[1:]
	default:
		l.pending = f
	}
}

// flag finds a flag by the word that names it, on the command or among the global ones.
func (l *line) flag(root *Command, word string) *Flag {
	long := strings.HasPrefix(word, "--")
	name, _, _ := strings.Cut(strings.TrimLeft(word, "-"), "=")
	for _, c := range []*Command{l.command, root} {
		for i, f := range c.Flags {
			if long && f.Name == name || !long && f.Shorthand != "" && strings.HasPrefix(name, f.Shorthand) {
				return &c.Flags[i]
			}
		}
	}
	return nil
}

func (c *Command) sub(name string) *Command {
	for _, s := range c.Subs {
		if s.Name == name {
			return s
		}
		for _, a := range s.Aliases {
			if a == name {
				return s
			}
		}
	}
	return nil
}

// scope is where the line looks: the request's context and namespace, unless the line names others.
func (l *line) scope(r Request) Scope {
	s := Scope{Kubeconfig: l.flags["kubeconfig"], Context: r.Context, Namespace: r.Namespace}
	if c := l.flags["context"]; c != "" && c != s.Context {
		s.Context, s.Namespace = c, ""
	}
	if n := l.flags["namespace"]; n != "" {
		s.Namespace = n
	}
	return s
}
