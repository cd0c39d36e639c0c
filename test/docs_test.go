package test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// proseAboutFiles are the documents that lead readers through the tree.
var proseAboutFiles = []string{"README.md", "CHANGELOG.md", "docs/ARCHITECTURE.md", "docs/adding.md"}

var (
	codeBlock = regexp.MustCompile("(?s)```.*?```")
	// quoted is a file or folder of the project between backquotes; linked is where a link leads.
	quoted = regexp.MustCompile("`((?:[a-z]+/)+(?:[A-Za-z_.-]+)?|[A-Za-z]+\\.(?:go|md)|Makefile)`")
	linked = regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	// listed is a Go file in a code block: `server/store/store.go`.
	listed = regexp.MustCompile(`(?:[a-z]+/)+[a-z_]+\.go\b`)
	// placed is a name of the code with the file that it is said to be in: "`Commit` (`server/store/commit.go`".
	placed = regexp.MustCompile("`(?:\\w+\\.)?(\\w+)`(?: |\n)(?:in |of |\\()`([a-z/_]+\\.go)`")
)

// TestDocumentsNameFilesThatExist keeps the documents from leading readers to what has moved: files, and names in them.
func TestDocumentsNameFilesThatExist(t *testing.T) {
	t.Parallel()
	folders := topFolders(t)
	for _, document := range proseAboutFiles {
		raw, err := os.ReadFile(filepath.Join("..", document))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, name := range namedFiles(string(raw), folders) {
			if _, err := os.Stat(filepath.Join("..", name)); err != nil {
				t.Errorf("%s names %s, which is not there", document, name)
			}
		}
		for _, m := range placed.FindAllStringSubmatch(string(raw), -1) {
			if !mentions(filepath.Join("..", m[2]), m[1]) {
				t.Errorf("%s says that %s is in %s", document, m[1], m[2])
			}
		}
		for _, file := range linkedFiles(string(raw)) {
			if _, err := os.Stat(filepath.Join("..", filepath.Dir(document), file)); err != nil {
				t.Errorf("%s links to %s, which is not there", document, file)
			}
		}
	}
}

// namedFiles lists the files and folders of the project that a text names.
func namedFiles(text string, folders map[string]bool) []string {
	var names []string
	for _, block := range codeBlock.FindAllString(text, -1) {
		names = append(names, listed.FindAllString(block, -1)...)
	}
	for _, m := range quoted.FindAllStringSubmatch(codeBlock.ReplaceAllString(text, ""), -1) {
		top, _, inFolder := strings.Cut(m[1], "/")
		if inFolder && folders[top] || m[1] == strings.ToUpper(m[1][:1])+m[1][1:] || m[1] == "main.go" {
			names = append(names, m[1])
		}
	}
	return names
}

// linkedFiles lists where a text's links lead. In a block of code a call with type parameters looks like one.
func linkedFiles(text string) []string {
	var files []string
	for _, m := range linked.FindAllStringSubmatch(codeBlock.ReplaceAllString(text, ""), -1) {
		files = append(files, m[1])
	}
	return files
}

func mentions(file, name string) bool {
	raw, err := os.ReadFile(file)
	return err == nil && regexp.MustCompile(`\b`+regexp.QuoteMeta(name)+`\b`).Match(raw)
}

// topFolders are the folders that a path of the project can start with.
func topFolders(t *testing.T) map[string]bool {
	t.Helper()
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	folders := map[string]bool{}
	for _, e := range entries {
		if e.IsDir() {
			folders[e.Name()] = true
		}
	}
	return folders
}

func TestNamedFiles(t *testing.T) {
	folders := map[string]bool{"server": true, "docs": true}
	text := "`server/store/` and `server/kind/kinds.go`, `registry/x.go` of another project, `Makefile`, `README.md`\n" +
		"```\nencode   server/resource/encode.go\n```\n`pki/ca.crt` is elsewhere"
	got := strings.Join(namedFiles(text, folders), " ")
	if want := "server/resource/encode.go server/store/ server/kind/kinds.go Makefile README.md"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestLinkedFiles(t *testing.T) {
	text := "[adding](adding.md#a-kind), [here](#here), [the web](https://example.com)\n```go\nrequest[Binding](\"binding\")\n```\n[a](b.md)"
	if got, want := strings.Join(linkedFiles(text), " "), "adding.md b.md"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
