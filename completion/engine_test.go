package completion_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"leme/completion"
)

// cluster is a small one that stands still.
type cluster struct{}

func (cluster) Types(completion.Scope) []completion.Type {
	return []completion.Type{
		{Version: "v1", Resource: "pods", Singular: "pod", Short: []string{"po"}, Kind: "Pod", Namespaced: true},
		{Version: "v1", Resource: "nodes", Singular: "node", Short: []string{"no"}, Kind: "Node"},
		{Version: "v1", Resource: "namespaces", Singular: "namespace", Short: []string{"ns"}, Kind: "Namespace"},
		{Group: "apps", Version: "v1", Resource: "deployments", Singular: "deployment", Short: []string{"deploy"}, Kind: "Deployment", Namespaced: true, Scalable: true},
	}
}

func (cluster) Objects(s completion.Scope, t completion.Type) []completion.Object {
	switch t.Resource + " " + s.Namespace {
	case "pods ", "pods default":
		return []completion.Object{{Name: "hello-1", Description: "Running 1/1"}, {Name: "hello-2"}, {Name: "web-1"}}
	case "pods other":
		return []completion.Object{{Name: "elsewhere"}}
	case "deployments ":
		return []completion.Object{{Name: "hello"}}
	}
	switch t.Resource {
	case "namespaces":
		return []completion.Object{{Name: "default"}, {Name: "other"}}
	case "nodes":
		return []completion.Object{{Name: "node-1", Description: "Ready"}}
	}
	return nil
}

func (cluster) Containers(_ completion.Scope, target string) []completion.Object {
	return []completion.Object{{Name: "of-" + target}}
}

func (cluster) Images(_ completion.Scope, repository string) []completion.Object {
	switch repository {
	case "":
		return []completion.Object{{Name: "hello"}, {Name: "team/web"}}
	case "hello":
		return []completion.Object{{Name: "1.0"}, {Name: "1.1"}}
	}
	return nil
}

func (cluster) Contexts(completion.Scope) []completion.Object {
	return []completion.Object{{Name: "leme"}, {Name: "prod"}}
}

// ask completes a line as it is typed: the word after the last blank is under the cursor.
func ask(line string) []string {
	words := strings.Split(line, " ")
	engine := completion.New(completion.Commands(), cluster{})
	var texts []string
	for _, c := range engine.Complete(completion.Request{Words: words[:len(words)-1], Word: words[len(words)-1]}) {
		texts = append(texts, c.Text)
	}
	return texts
}

func TestComplete(t *testing.T) {
	for line, want := range map[string]string{
		"descr":                          "describe",
		"get no":                         "nodes no",
		"get po":                         "pods po",
		"get pods,depl":                  "pods,deployments",
		"get po hel":                     "hello-1 hello-2",
		"get po hello-1 hel":             "hello-2",
		"get pod/hel":                    "pod/hello-1 pod/hello-2",
		"get pods.v1 w":                  "web-1",
		"get po hlo":                     "hello-1 hello-2",
		"-n other get po e":              "elsewhere",
		"get po -n other e":              "elsewhere",
		"get po -nother e":               "elsewhere",
		"get po --namespace=other e":     "elsewhere",
		"get po -n ":                     "default other",
		"get po --namespace=o":           "--namespace=other",
		"get po -o ya":                   "yaml",
		"get po -A -o ya":                "yaml",
		"describe pod hello-":            "hello-1 hello-2",
		"exec hello-1 -c ":               "of-hello-1",
		"logs hel":                       "hello-1 hello-2",
		"logs deploy/h":                  "deploy/hello",
		"exec -it hello-1 -- ls ":        "",
		"scale d":                        "deployments/",
		"rollout st":                     "status",
		"rollout status deployments/":    "deployments/hello",
		"rollout status deploy ":         "hello",
		"drain ":                         "node-1",
		"taint nodes ":                   "node-1",
		"use o":                          "other",
		"use ctx p":                      "prod",
		"config use-context ":            "leme prod",
		"--context p":                    "prod",
		"completion z":                   "zsh",
		"help rollout und":               "undo",
		"get pods --field":               "--field-selector",
		"get widgets ":                   "",
		"nonsense ":                      "",
		"delete pod web-1 --cascade=for": "--cascade=foreground",
	} {
		t.Run(line, func(t *testing.T) {
			if got := strings.Join(ask(line), " "); got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		})
	}
}

func TestStateStandsBesideNames(t *testing.T) {
	engine := completion.New(completion.Commands(), cluster{})
	got := engine.Complete(completion.Request{Words: []string{"describe", "pod"}, Word: "hello-1"})
	if len(got) != 1 || got[0].Description != "Running 1/1" {
		t.Errorf("got %+v", got)
	}
}

// Whatever stands on the line, candidates continue the word, or hold its letters in order, and are few.
func TestAnyLine(t *testing.T) {
	words := []string{"get", "pods", "po", "-n", "--namespace", "other", "--", "-", "--context=x", "deploy/hello", "rollout", "status", "exec", "-it", "-c", ",", "/", "", "=", "--=", "-o"}
	engine := completion.New(completion.Commands(), cluster{})
	rapid.Check(t, func(t *rapid.T) {
		r := completion.Request{
			Words: rapid.SliceOfN(rapid.SampledFrom(words), 0, 6).Draw(t, "words"),
			Word:  rapid.OneOf(rapid.SampledFrom(words), rapid.String()).Draw(t, "word"),
		}
		candidates := engine.Complete(r)
		if len(candidates) > 300 {
			t.Fatalf("%d candidates", len(candidates))
		}
		for _, c := range candidates {
			rest := strings.ToLower(c.Text)
			for _, letter := range strings.ToLower(r.Word) {
				i := strings.IndexRune(rest, letter)
				if i < 0 {
					t.Fatalf("%q does not fit %q", c.Text, r.Word)
				}
				rest = rest[i+len(string(letter)):]
			}
		}
	})
}

// crowd is a cluster of many pods.
type crowd struct {
	cluster
	pods []completion.Object
}

func (c crowd) Objects(completion.Scope, completion.Type) []completion.Object { return c.pods }

func BenchmarkComplete(b *testing.B) {
	pods := make([]completion.Object, 10_000)
	for i := range pods {
		pods[i] = completion.Object{Name: fmt.Sprintf("web-%05d", i), Description: "Running 1/1 node-1"}
	}
	engine := completion.New(completion.Commands(), crowd{pods: pods})
	for name, word := range map[string]string{"prefix": "web-0123", "fuzzy": "w1234"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if len(engine.Complete(completion.Request{Words: []string{"get", "pods"}, Word: word})) == 0 {
					b.Fatal("no candidates")
				}
			}
		})
	}
}
