package line

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// show writes steps in a form that a table can hold: words in brackets, system text in braces.
func show(steps []Step) string {
	var out []string
	for _, s := range steps {
		var stages []string
		for _, g := range s.Stages {
			text := "[" + strings.Join(g.Words, "|") + "]"
			if g.System {
				text = "{" + g.Raw + "}"
			}
			for _, r := range g.Redirects {
				text += fmt.Sprintf(" %d:%s%s", r.Stream, r.Path, r.Text)
				if r.Append {
					text += "+"
				}
				if r.Merge {
					text += "&1"
				}
			}
			stages = append(stages, text)
		}
		out = append(out, []string{"", "&& ", "|| "}[s.When]+strings.Join(stages, " → "))
	}
	return strings.Join(out, "; ")
}

func TestParse(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"blank lines and comments", "\n  # nothing\n\n", ""},
		{"words", "get pods  -o wide", "[get|pods|-o|wide]"},
		{"comment behind", "get pods # all of them", "[get|pods]"},
		{"number sign inside a word", "get a#b", "[get|a#b]"},
		{"quotes", `label pod x 'a b'="c d" e\ f`, "[label|pod|x|a b=c d|e f]"},
		{"escapes in double quotes", `run "a\"b\\c\$d\e"`, `[run|a"b\c$d\e]`},
		{"empty word", `patch x -p ''`, "[patch|x|-p|]"},
		{"templates need no quotes", `get pods -o jsonpath={.items[*].metadata.name} $x *`, "[get|pods|-o|jsonpath={.items[*].metadata.name}|$x|*]"},
		{"ampersand in an address", "apply -f http://h/a?b=1&c=2", "[apply|-f|http://h/a?b=1&c=2]"},
		{"home", `apply -f ~/x.yaml ~ '~' a~/b`, "[apply|-f|/home/me/x.yaml|/home/me|~|a~/b]"},
		{"quoted home", `apply '~/x'`, "[apply|~/x]"},
		{"steps", "a; b && c || d\ne;", "[a]; [b]; && [c]; || [d]; [e]"},
		{"line end after an operator", "a &&\n b", "[a]; && [b]"},
		{"pipe", `get pods | grep "x y" | wc -l`, "[get|pods] → [grep|x y] → [wc|-l]"},
		{"pipe over lines", "get pods |\n  wc", "[get|pods] → [wc]"},
		{"redirections", "get pods >a >>b 2> c 2>>d <e 2>&1", "[get|pods] 1:a 1:b+ 2:c 2:d+ 0:e 2:&1"},
		{"two ends a word", "get x2>y", "[get|x2] 1:y"},
		{"continued line", "get \\\n pods", "[get|pods]"},
		{"continued word", "get po\\\nds", "[get|pods]"},
		{"system line", "!ls *.yaml | wc -l; date\nget pods", "{ls *.yaml | wc -l; date}; [get|pods]"},
		{"system line after a step", "a && !date", "[a]; && {date}"},
		{"exclamation inside", "get a!b !c", "[get|a!b|!c]"},
		{"here document", "apply -f - <<EOF && get x\nkind: A\n  b: \"c\nEOF\nd", "[apply|-f|-] 0:kind: A\n  b: \"c\n; && [get|x]; [d]"},
		{"here document, quoted end and tabs", "a <<-'E F'\n\tx\n\tE F\n", "[a] 0:x\n"},
		{"two here documents", "a <<X; b <<Y\n1\nX\n2\nY", "[a] 0:1\n; [b] 0:2\n"},
		{"carriage returns", "get pods\r\nget nodes\r\n", "[get|pods]; [get|nodes]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			steps, err := Parse(c.text, "/home/me")
			if err != nil {
				t.Fatal(err)
			}
			if got := show(steps); got != c.want {
				t.Errorf("Parse(%q)\n got %q\nwant %q", c.text, got, c.want)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct {
		text, want string
		line       int
		more       bool
	}{
		{"get 'a", "a ' that is not closed", 1, true},
		{"get\nb \"a\n", `a " that is not closed`, 2, true},
		{`get \`, `a \ at the end`, 1, true},
		{"get \\\n", `a \ at the end`, 1, true},
		{"get po\\\n", `a \ at the end`, 1, true},
		{"a |", "a command is missing after |", 1, true},
		{"a &&", "a command is missing after && or ||", 1, true},
		{"a <<EOF", "a here document without its closing EOF", 1, true},
		{"a <<EOF\nb\n", "a here document without its closing EOF", 1, true},
		{"a\n| b", `"|" is not expected here: quote it if it is text`, 2, false},
		{"a && ; b", `";" is not expected here: quote it if it is text`, 1, false},
		{"a >", "a file is missing after >", 1, false},
		{"a > > b", "a file is missing after >", 1, false},
		{"> b", "a command is missing before >", 1, false},
		{"a & b", "there are no background commands: open a second shell, or quote the &", 1, false},
		{"!", "name a command of the system after !", 1, false},
		{"a | cat <<E\nx\nE", "a here document belongs to the first command of a pipe", 1, false},
	} {
		_, err := Parse(c.text, "")
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("Parse(%q) = %v, want an *Error", c.text, err)
			continue
		}
		if e.Message != c.want || e.Line != c.line || errors.Is(err, ErrIncomplete) != c.more {
			t.Errorf("Parse(%q) = %d %q more=%v, want %d %q more=%v", c.text, e.Line, e.Message, e.more, c.line, c.want, c.more)
		}
	}
}

func TestStepLinesAndRaw(t *testing.T) {
	steps, err := Parse("a\n\nb \\\n c | grep 'x  y' >f\nd", "")
	if err != nil {
		t.Fatal(err)
	}
	var lines []int
	for _, s := range steps {
		lines = append(lines, s.Line)
	}
	if want := []int{1, 3, 5}; !reflect.DeepEqual(lines, want) {
		t.Errorf("lines %v, want %v", lines, want)
	}
	if got := steps[1].Stages[1].Raw; got != "grep 'x  y' >f" {
		t.Errorf("raw %q", got)
	}
}

func TestAtEnd(t *testing.T) {
	for _, c := range []struct {
		text string
		want Cursor
	}{
		{"", Cursor{}},
		{"ge", Cursor{Word: "ge"}},
		{"get ", Cursor{Words: []string{"get"}, Start: 4}},
		{"get po", Cursor{Words: []string{"get"}, Word: "po", Start: 4}},
		{"a; get 'p", Cursor{Words: []string{"get"}, Word: "p", Start: 7, Quote: '\''}},
		{"a && get", Cursor{Word: "get", Start: 5}},
		{"get pods | gr", Cursor{Word: "gr", Start: 11, System: true}},
		{"get pods | grep x; get ", Cursor{Words: []string{"get"}, Start: 23}},
		{"!ls fo", Cursor{Start: 6, System: true}},
		{"get pods > fi", Cursor{Words: []string{"get", "pods"}, Word: "fi", Start: 11, File: true}},
		{"get 2>&1 po", Cursor{Words: []string{"get"}, Word: "po", Start: 9}},
	} {
		if got := AtEnd(c.text); !reflect.DeepEqual(got, c.want) {
			t.Errorf("AtEnd(%q)\n got %+v\nwant %+v", c.text, got, c.want)
		}
	}
}

// FuzzParse holds that no text upsets the parser, and that a quoted word comes back as it went in.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"get pods | grep x > y && z", "a <<E\nb\nE\n", `"a\"b" 'c' \d`, "!x\\\ny", "a 2>&1 <<-E", "~/x;"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c := AtEnd(text)
		if c.Start < 0 || c.Start > len(text) {
			t.Fatalf("AtEnd(%q) starts at %d", text, c.Start)
		}
		steps, err := Parse(text, "/home/me")
		if err == nil {
			for _, s := range steps {
				if len(s.Stages) == 0 || s.Line < 1 {
					t.Fatalf("Parse(%q): %+v", text, s)
				}
			}
		}
		again, err := Parse("a "+Quote(text), "/home/me")
		if err != nil || len(again) != 1 || len(again[0].Stages[0].Words) != 2 || again[0].Stages[0].Words[1] != text {
			t.Fatalf("Quote(%q) = %q came back as %+v, %v", text, Quote(text), again, err)
		}
	})
}
