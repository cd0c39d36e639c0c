// Package command holds every command of Leme in one visible list, and runs them.
//
// The list (table.go) joins the commands of this package with the constructors of kubectl's library. The prompt, one
// `leme VERB …`, scripts and completion all go through it, so a command behaves the same wherever it is typed:
//
//	code := command.Run(ctx, []string{"get", "pods"}, command.Options{Streams: streams, Parts: parts})
//
// Commands write to the streams they are given and return errors. Whatever kubectl would end the process with becomes
// an exit code here.
package command

import (
	"context"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"

	"leme/completion"
)

// Constructor builds a command that writes to streams.
type Constructor func(streams genericiooptions.IOStreams) *cobra.Command

// Completer answers what can stand at the cursor. It is asked on every key and must not wait for anything.
type Completer interface {
	Complete(completion.Request) []completion.Candidate
}

// Notifier is a Completer that learns in the background: Changed is closed, and replaced, when an answer would differ.
type Notifier interface {
	Changed() <-chan struct{}
}

// Parts are the commands and services whose bodies live outside the shell; the program's entry hands them in.
// A nil part is left out of the list.
type Parts struct {
	Version string // Leme's own, such as "0.1.0"

	Up, Down, Server, Agent, Token Constructor
	Completion                     Constructor // prints the scripts for bash, zsh, fish and PowerShell

	// Complete answers the hidden __complete command, before any command is built.
	Complete func(ctx context.Context, args []string, streams genericiooptions.IOStreams) int

	// Completer starts the completion of an interactive session; it ends with ctx.
	Completer func(ctx context.Context) Completer
}

// Session is what the commands of a session (use, history, exit) act on. One-shot commands have none.
type Session interface {
	// Use changes the namespace or the context and returns what is in force now, for people to read.
	Use(ctx context.Context, target Target) (string, error)
	// History returns the lines entered so far, oldest first.
	History() []string
	// Exit ends the session after the running line, with this code.
	Exit(code int)
	// LastCode is the exit code of the line before.
	LastCode() int
}

// Target names what `use` changes: exactly one of its fields is set.
type Target struct {
	Namespace string
	Context   string
	Back      bool // to what was in force before the last change
}

// Scope is the context and namespace in force when a command names none itself. Empty fields stand for the
// kubeconfig's own.
type Scope struct {
	Context   string
	Namespace string
}

// Env is what a constructor in the list builds its command from.
type Env struct {
	Factory cmdutil.Factory
	Streams genericiooptions.IOStreams
	Parts   Parts
	Session Session // nil in a one-shot command
	List    List
}
