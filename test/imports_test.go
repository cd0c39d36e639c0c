package test

import (
	"os/exec"
	"strings"
	"testing"
)

// forbidden is which folders a folder must not see. Only the program's entry, the generators and the tests see everything.
var forbidden = map[string][]string{
	"leme/server":     {"leme/shell", "leme/completion", "leme/nodeagent", "leme/registry"},
	"leme/nodeagent":  {"leme/shell", "leme/completion", "leme/server", "leme/registry"},
	"leme/registry":   {"leme/shell", "leme/completion", "leme/server", "leme/nodeagent"},
	"leme/shell":      {"leme/server", "leme/nodeagent", "leme/registry", "leme/completion/source"},
	"leme/completion": {"leme/shell", "leme/server", "leme/nodeagent", "leme/registry"},
}

// generators make files from what the program's entry joins; they are no part of it.
const generators = "leme/shell/generate"

func TestImportsGoOneWay(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, "leme/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(packages) < 20 {
		t.Fatalf("only %d packages were listed", len(packages))
	}
	for _, line := range packages {
		pkg, imports, _ := strings.Cut(line, " ")
		for _, imported := range strings.Fields(imports) {
			if imported == "k8s.io/kubernetes" || strings.HasPrefix(imported, "k8s.io/kubernetes/") {
				t.Errorf("%s imports %s", pkg, imported)
			}
			for folder, none := range forbidden {
				if !below(pkg, folder) || pkg == generators {
					continue
				}
				for _, f := range none {
					if below(imported, f) {
						t.Errorf("%s must not import %s", pkg, imported)
					}
				}
			}
		}
	}
}

func below(pkg, folder string) bool { return pkg == folder || strings.HasPrefix(pkg, folder+"/") }
