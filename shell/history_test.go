package shell

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
)

func TestRedact(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"get pods -l app=web", "get pods -l app=web"},
		{"create secret generic x --from-literal=user=me --from-literal=pw='a b' -n y",
			"create secret generic x --from-literal=user=*** --from-literal=pw=*** -n y"},
		{`create secret generic x --from-literal "k=v w" z`, `create secret generic x --from-literal "k=*** w" z`},
		{"get pods --token=abc --token def", "get pods --token=*** --token ***"},
		{`create secret docker-registry x --docker-password="p\"w" --docker-username=u`,
			"create secret docker-registry x --docker-password=*** --docker-username=u"},
		{"set env deploy/x DB_PASSWORD=1 MODE=2 apiKey=3", "set env deploy/x DB_PASSWORD=*** MODE=2 apiKey=***"},
		{"!curl -H 'Authorization: Bearer abc.def'", "!curl -H 'Authorization: Bearer ***"},
		{"apply -f - <<E\nkind: Secret\ndata: {a: b}\nE", ""},
		{`patch secret x -p '{"stringData":{"a":"b"}}'`, ""},
		{"get secret", "get secret"},
	} {
		if got := redact(c.text); got != c.want {
			t.Errorf("redact(%q)\n got %q\nwant %q", c.text, got, c.want)
		}
	}
}

func TestHistoryIsKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "history")
	h, err := openHistory(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{"get pods", "get pods", " hidden", "", `a <<E` + "\n" + `\n` + "\nE", "get x --token=abc"}
	for _, l := range lines {
		if err := h.Add(l); err != nil {
			t.Fatal(err)
		}
	}
	again, err := openHistory(path)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"get pods", lines[4], "get x --token=***"}
	if !reflect.DeepEqual(again.entries, want) {
		t.Errorf("got %q, want %q", again.entries, want)
	}
	if h.entries[2] != "get x --token=abc" {
		t.Errorf("the session itself forgot: %q", h.entries)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestHistoryOfSessionsSideBySide(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history")
	const sessions, each = 8, 50
	var all sync.WaitGroup
	for s := range sessions {
		all.Go(func() {
			h, err := openHistory(path)
			if err != nil {
				t.Error(err)
			}
			for i := range each {
				if err := h.Add(fmt.Sprintf("get %d-%d %s", s, i, strings.Repeat("x", 3000))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	h, err := openHistory(path)
	if err != nil || len(h.entries) != sessions*each {
		t.Errorf("%d entries, %v", len(h.entries), err)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history")
	var text strings.Builder
	for i := range 2*maxHistory + 1 {
		fmt.Fprintf(&text, "get %d\n", i)
	}
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	h, err := openHistory(path)
	if err != nil || len(h.entries) != maxHistory || h.entries[maxHistory-1] != fmt.Sprintf("get %d", 2*maxHistory) {
		t.Fatalf("%d entries, %v", len(h.entries), err)
	}
	if kept, err := readHistory(path); err != nil || len(kept) != maxHistory {
		t.Errorf("the file holds %d, %v", len(kept), err)
	}
}

func TestFinder(t *testing.T) {
	f := finder{entries: []string{"get pods", "get nodes", "apply x"}, at: 3}
	f.lengthen("get")
	if f.text() != "get nodes" {
		t.Errorf("found %q", f.text())
	}
	f.older()
	if f.text() != "get pods" {
		t.Errorf("older: %q", f.text())
	}
	f.older()
	if !f.failed || f.text() != "get pods" {
		t.Errorf("beyond the oldest: %q, %v", f.text(), f.failed)
	}
	f.shorten()
	f.shorten()
	f.shorten()
	f.shorten()
	if f.text() != "" || f.wanted != "" {
		t.Errorf("emptied: %q", f.text())
	}
	f.lengthen("nothing")
	if !f.failed {
		t.Error("found nothing that is there")
	}
}
