package command

import (
	"slices"

	"github.com/spf13/cobra"
)

// Mode says where the prompt runs a command.
type Mode int

const (
	// InProcess commands read or write once and return; they are cancelled through their requests.
	InProcess Mode = iota
	// Child commands stream, own the terminal, wait for long or end their process: they run as a process of their own
	// in the foreground of the terminal, so that Ctrl-C and the terminal's modes are theirs alone.
	Child
)

// Rule decides the mode of one call. leaf is the command that runs, such as `rollout status`, its flags parsed.
type Rule func(leaf *cobra.Command) Mode

func inProcess(leaf *cobra.Command) Mode { return childWith()(leaf) }
func child(*cobra.Command) Mode          { return Child }

// childFor runs the subcommands with these names as children.
func childFor(names ...string) Rule {
	return func(leaf *cobra.Command) Mode {
		if slices.Contains(names, leaf.Name()) {
			return Child
		}
		return inProcess(leaf)
	}
}

// childWith runs calls that set one of these flags as children, and those that read standard input: kubectl's library
// reads the process's own.
func childWith(flags ...string) Rule {
	return func(leaf *cobra.Command) Mode {
		if ReadsStdin(leaf) || slices.ContainsFunc(flags, func(name string) bool { return isSet(leaf, name) }) {
			return Child
		}
		return InProcess
	}
}

func isSet(leaf *cobra.Command, flag string) bool {
	f := leaf.Flags().Lookup(flag)
	return f != nil && f.Changed && f.Value.String() != "false"
}

// ReadsStdin reports whether a call reads objects from its standard input (-f -), or runs kustomize (-k), which may
// run programs.
func ReadsStdin(leaf *cobra.Command) bool {
	if isSet(leaf, "kustomize") {
		return true
	}
	f := leaf.Flags().Lookup("filename")
	if f == nil {
		return false
	}
	files, err := leaf.Flags().GetStringSlice("filename")
	return err == nil && slices.Contains(files, "-")
}
