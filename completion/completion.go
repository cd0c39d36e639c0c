// Package completion turns (line, cursor, state) into candidates: one engine for the prompt, bash, zsh, fish and PowerShell.
package completion

// Candidate is one thing that can stand at the cursor.
type Candidate struct {
	Text        string // replaces the whole word under the cursor
	Description string // "Running 2/2 node-1"; may be empty
	NoSpace     bool   // more of the same word follows: "deploy/", "app="
}

// Request is a line as typed, cut at the cursor, already split by the caller's shell where there is one.
type Request struct {
	Words     []string // before the word under the cursor, without the program's name; quotes removed
	Word      string   // the part of the word before the cursor, quotes removed
	Context   string   // kubeconfig context in force, "" for the current one
	Namespace string
}

// Command is what the engine knows of one command: a plain tree, made from the real commands at build time
// (zz_commands.go), so that completing needs no command tree.
type Command struct {
	Name    string
	Aliases []string
	Short   string
	Flags   []Flag
	Subs    []*Command
	Hidden  bool
}

// Flag is one flag of a command.
type Flag struct {
	Name, Shorthand, Usage string
	Bool                   bool // takes no value
}
