package script_test

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"leme/completion"
	"leme/completion/script"
)

// still is a cluster with one node, whose state holds what would break a line.
type still struct{}

func (still) Types(completion.Scope) []completion.Type {
	return []completion.Type{{Version: "v1", Resource: "nodes", Kind: "Node"}}
}

func (still) Objects(completion.Scope, completion.Type) []completion.Object {
	return []completion.Object{{Name: "node-1", Description: "Ready\tyes\nindeed"}}
}

func (still) Containers(completion.Scope, string) []completion.Object { return nil }
func (still) Images(completion.Scope, string) []completion.Object     { return nil }
func (still) Contexts(completion.Scope) []completion.Object           { return nil }

// What the scripts read: a line a candidate, then the directive; 4 asks for no files, 32 to keep the order, 2 for no space.
func TestComplete(t *testing.T) {
	engine := completion.New(completion.Commands(), still{})
	for words, want := range map[string]string{
		"drain ":       "node-1\tReady yes indeed\n:36\n",
		"get no -o js": "json\t\njsonpath=\t\n:38\n",
		"apply -f ":    ":0\n",
		"logs x ":      ":36\n",
	} {
		var out bytes.Buffer
		script.Complete(engine, strings.Split(words, " "), &out)
		if out.String() != want {
			t.Errorf("%q: got %q, want %q", words, out.String(), want)
		}
	}
	var out bytes.Buffer
	script.Complete(engine, nil, &out)
	if !strings.Contains(out.String(), "describe\t") {
		t.Errorf("nothing typed: %q", out.String())
	}
}

func TestScriptsCallTheProgram(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		var out bytes.Buffer
		if err := script.Write(shell, &out); err != nil || !strings.Contains(out.String(), "__complete") {
			t.Errorf("%s: %v\n%s", shell, err, out.Bytes())
		}
		if shell != "bash" && shell != "zsh" {
			continue
		}
		check := exec.Command(shell, "-n")
		check.Stdin = &out
		if text, err := check.CombinedOutput(); err != nil {
			t.Errorf("%s does not parse its script: %v\n%s", shell, err, text)
		}
	}
	if err := script.Write("tcsh", &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "bash, zsh, fish or powershell") {
		t.Errorf("an unknown shell: %v", err)
	}
}
