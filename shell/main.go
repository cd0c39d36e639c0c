// Package shell is Leme on the command line: the interactive session, scripts and single commands.
//
// The program's entry calls Main with its arguments. What a line means is package line's, which commands there are is
// package command's, and what a terminal needs is package term's; this package holds the session together.
package shell

import (
	"context"
	"fmt"
	"os"
	"strings"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"leme/shell/command"
	"leme/shell/term"
)

// Main runs the program's command line and returns its exit code: without arguments a session on a terminal, or else
// the commands on standard input; with -f a script; and otherwise the one command that args are.
//
// ctx ends what runs. It must not be bound to the interrupt signal: in a session Ctrl-C ends commands only.
func Main(ctx context.Context, args []string, parts command.Parts, streams genericiooptions.IOStreams) int {
	switch {
	case len(args) == 0 && onTerminal(streams):
		return withSession(parts, streams, func(s *session) int { return s.interact(ctx, streams.In.(*os.File), streams.Out.(*os.File)) })
	case len(args) == 0:
		return withSession(parts, streams, func(s *session) int { return s.file(ctx, []string{"-"}) })
	case args[0] == "__complete" && parts.Complete != nil:
		return parts.Complete(ctx, args[1:], streams)
	case args[0] == "-f" || args[0] == "--file":
		return withSession(parts, streams, func(s *session) int { return s.file(ctx, args[1:]) })
	}
	return command.Run(ctx, args, command.Options{Streams: streams, Parts: parts, Scope: command.ScopeFromEnv()})
}

func withSession(parts command.Parts, streams genericiooptions.IOStreams, run func(*session) int) int {
	s, err := newSession(parts, streams)
	if err != nil {
		fmt.Fprintln(streams.ErrOut, "error:", err)
		return 1
	}
	return run(s)
}

// file runs the script that the arguments behind -f name.
func (s *session) file(ctx context.Context, args []string) int {
	if len(args) != 1 {
		return s.fail(fmt.Errorf("want one script: leme -f FILE, or - for standard input"))
	}
	if args[0] == "-" {
		in := s.streams.In
		s.streams.In = strings.NewReader("") // it is the script's, not its commands'
		return s.script(ctx, "standard input", in)
	}
	f, err := os.Open(args[0])
	if err != nil {
		return s.fail(fmt.Errorf("reading the script: %w", err))
	}
	defer f.Close()
	return s.script(ctx, args[0], f)
}

func onTerminal(streams genericiooptions.IOStreams) bool {
	in, isFile := streams.In.(*os.File)
	out, alsoFile := streams.Out.(*os.File)
	return isFile && alsoFile && term.IsTerminal(in) && term.IsTerminal(out)
}
