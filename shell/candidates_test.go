package shell

import (
	"reflect"
	"strings"
	"testing"

	"leme/completion"
	"leme/shell/command"
)

// fixed is an engine that offers what begins with the word.
type fixed struct {
	offers []completion.Candidate
	asked  []completion.Request
}

func (f *fixed) Complete(r completion.Request) []completion.Candidate {
	f.asked = append(f.asked, r)
	var fit []completion.Candidate
	for _, o := range f.offers {
		if strings.HasPrefix(o.Text, r.Word) {
			fit = append(fit, o)
		}
	}
	return fit
}

func TestSuggestions(t *testing.T) {
	offers := []completion.Candidate{{Text: "pods", Description: "things"}, {Text: "a b"}, {Text: "deploy/", NoSpace: true}}
	for _, c := range []struct {
		name, pending, text string
		want                string // go-prompt puts it behind the last blank
	}{
		{"nothing typed", "", "", ""},
		{"a word", "", "get po", "pods"},
		{"all words", "", "get ", "pods|'a b'|deploy/"},
		{"in quotes", "", "get 'po", "'pods'"},
		{"in double quotes", "", `get "a`, `"a b"`},
		{"behind a blank in quotes", "", "get 'a ", "b'"},
		{"whole already", "", "get pods", ""},
		{"the system's", "", "get pods | po", ""},
		{"a file", "", "get pods > po", ""},
		{"behind a line end", "", "x␊po", "x␊pods"},
		{"on a second line", "get \\\n", "po", "pods"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := candidates{engine: &fixed{offers: offers}, scope: noScope}
			s.begin(c.pending)
			var texts []string
			for _, found := range s.suggest(c.text) {
				texts = append(texts, found.Text)
			}
			if got := strings.Join(texts, "|"); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func noScope() (command.Scope, <-chan struct{}) { return command.Scope{Namespace: "web"}, nil }

func TestSuggestionsAreKeptWhileTheTextIs(t *testing.T) {
	engine := &fixed{offers: []completion.Candidate{{Text: "pods"}}}
	s := candidates{engine: engine, scope: noScope}
	s.suggest("kubectl get po")
	engine.offers = nil
	s.suggest("")
	if got := s.suggest("kubectl get po"); len(got) != 1 {
		t.Errorf("the candidates changed under the selection: %v", got)
	}
	want := []completion.Request{{Words: []string{"get"}, Word: "po", Namespace: "web"}}
	if !reflect.DeepEqual(engine.asked, want) {
		t.Errorf("asked %+v, want %+v", engine.asked, want)
	}
	s.forget()
	if got := s.suggest("kubectl get po"); len(got) != 0 {
		t.Errorf("got old candidates: %v", got)
	}
}

func TestSuggestionsAreBounded(t *testing.T) {
	s := candidates{engine: &fixed{offers: make([]completion.Candidate, 10_000)}, scope: noScope}
	if got := s.suggest("get "); len(got) != maxCandidates {
		t.Errorf("%d candidates", len(got))
	}
}
