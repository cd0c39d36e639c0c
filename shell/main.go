// Package shell is Leme on the command line: the interactive session, scripts and single commands.
package shell

import (
	"context"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"leme/shell/command"
)

// Main is the program's command line: it runs args and returns the exit code.
func Main(ctx context.Context, args []string, parts command.Parts, streams genericiooptions.IOStreams) int {
	if len(args) > 0 && args[0] == "__complete" && parts.Complete != nil {
		return parts.Complete(ctx, args[1:], streams)
	}
	return command.Run(ctx, args, command.Options{Streams: streams, Parts: parts, Scope: command.ScopeFromEnv()})
}
