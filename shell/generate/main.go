// Command generate writes what derives from the list of commands: the table that completion walks, and
// the command reference.
package main

import (
	"go/format"
	"log"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"leme/completion/script"
	"leme/shell/command"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: generate ROOT-OF-THE-PROJECT")
	}
	// Defaults that lie in a home directory must not depend on whose it is.
	if err := os.Setenv("HOME", "~"); err != nil {
		log.Fatal(err)
	}
	root := command.Root(command.Options{Streams: genericiooptions.NewTestIOStreamsDiscard(), Parts: parts()})
	table, err := format.Source(completionTable(root))
	if err != nil {
		log.Fatal(err)
	}
	for path, text := range map[string][]byte{"completion/zz_commands.go": table, "docs/commands.md": reference(root)} {
		if err := os.WriteFile(filepath.Join(os.Args[1], path), text, 0o644); err != nil {
			log.Fatal(err)
		}
	}
}

// parts are the commands whose bodies live in the program's entry: here only their names and flags count.
func parts() command.Parts {
	return command.Parts{
		Up:         func(s genericiooptions.IOStreams) *cobra.Command { return command.NewCmdUp(s, nil) },
		Down:       func(s genericiooptions.IOStreams) *cobra.Command { return command.NewCmdDown(s, nil) },
		Server:     func(s genericiooptions.IOStreams) *cobra.Command { return command.NewCmdServer(s, nil) },
		Agent:      func(s genericiooptions.IOStreams) *cobra.Command { return command.NewCmdAgent(s, nil) },
		Completion: script.NewCmdCompletion,
	}
}
