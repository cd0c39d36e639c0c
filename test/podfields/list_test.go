package podfields

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// State is what the cluster makes of a field.
type State string

// The states, as docs/pods.md explains them.
const (
	Works   State = "works"
	Depends State = "works where the host can"
	Refused State = "refused"
	NotYet  State = "not yet"
)

// Row is a field of a type, or one value of it.
type Row struct {
	Type, Field string
	Value       string // in YAML; empty for the whole field
	State       State
	Text        string
}

func (r Row) String() string {
	if r.Value == "" {
		return r.Type + "." + r.Field
	}
	return fmt.Sprintf("%s.%s: %s", r.Type, r.Field, r.Value)
}

// tests are those that the row names.
func (r Row) tests() []string {
	var names []string
	for _, m := range testName.FindAllStringSubmatch(r.Text, -1) {
		names = append(names, m[1])
	}
	return names
}

var (
	heading  = regexp.MustCompile(`^## (\w+)$`)
	row      = regexp.MustCompile("^\\| `(\\w+)(?:: ([^`]+))?` \\| ([a-z ]+) \\| (.*) \\|$")
	testName = regexp.MustCompile("`(Test\\w+)`")
)

// readList gives the rows of a document and the types that have a section in it.
func readList(file string) (rows []Row, types []string, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, nil, err
	}
	for number, line := range strings.Split(string(text), "\n") {
		if m := heading.FindStringSubmatch(line); m != nil {
			types = append(types, m[1])
		}
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		m := row.FindStringSubmatch(line)
		if m == nil || len(types) == 0 {
			return nil, nil, fmt.Errorf("%s:%d is no row: %s", file, number+1, line)
		}
		rows = append(rows, Row{Type: types[len(types)-1], Field: m[1], Value: m[2], State: State(m[3]), Text: m[4]})
	}
	return rows, types, nil
}
