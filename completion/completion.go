// Package completion turns a line and a cursor into candidates: one engine for the prompt, bash, zsh,
// fish and PowerShell.
//
// The engine walks a plain tree of the commands (zz_commands.go, made from the real ones when they
// change), so that completing a line builds no command. What stands in the cluster comes from Sources,
// which the caller chooses: live ones in a session, a single bounded read in a one-shot.
//
//	engine := completion.New(completion.Commands(), sources)
//	candidates := engine.Complete(completion.Request{Words: []string{"describe", "pod"}, Word: "hel"})
package completion

//go:generate go run ../shell/generate ..

// Candidate is one thing that can stand at the cursor.
type Candidate struct {
	Text        string // replaces the whole word under the cursor
	Description string // "Running 2/2 node-1"; may be empty
	NoSpace     bool   // more of the same word follows: "deploy/", "--output="
}

// Request is a line as typed, cut at the cursor.
type Request struct {
	Words     []string // before the word under the cursor, without the program's name; quotes removed
	Word      string   // the part of the word before the cursor, quotes removed
	Context   string   // kubeconfig context in force; empty: the current one
	Namespace string   // namespace in force; empty: the context's
}

// Command is what the engine knows of one command.
type Command struct {
	Name    string
	Aliases []string
	Short   string
	Flags   []Flag
	Subs    []*Command
}

// Flag is one flag of a command.
type Flag struct {
	Name, Shorthand, Usage string
	Bool                   bool // takes no value
}

// Scope is what a line says about where to look, beside what it is about.
type Scope struct {
	Kubeconfig string
	Context    string
	Namespace  string
}

// Type is a resource type that the cluster serves.
type Type struct {
	Group, Version, Resource string
	Singular                 string
	Short                    []string
	Kind                     string
	Namespaced               bool
	Scalable                 bool
}

// Object is one object of a type.
type Object struct {
	Name        string
	Description string // its state in a few words
}

// Sources is what the engine asks of the cluster and its client's settings. None of them may block for
// longer than the caller wants to wait on a key press.
type Sources interface {
	Types(Scope) []Type
	Objects(Scope, Type) []Object
	// Containers are those of a pod, or of the pods of a workload ("deploy/web").
	Containers(s Scope, target string) []Object
	// Images are the repositories of the cluster's registry, or the tags of one.
	Images(s Scope, repository string) []Object
	Contexts(Scope) []Object
}
