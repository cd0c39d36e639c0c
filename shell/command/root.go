package command

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	cmdutil "k8s.io/kubectl/pkg/cmd/util"
)

// program is the name in help and errors.
const program = "leme"

// Root returns the whole tree of commands, for what must see all of it: the completion's tables, the reference.
// Running a command does not need it; Run builds the one it runs.
func Root(o Options) *cobra.Command {
	root, env := newRoot(context.Background(), o)
	for _, e := range env.List {
		root.AddCommand(e.build(env))
	}
	dress(root, env.List)
	return root
}

// build makes the root and, below it, only the command that args name: the whole tree would cost more than most
// commands take.
func build(ctx context.Context, args []string, o Options) (*cobra.Command, Entry, error) {
	root, env := newRoot(ctx, o)
	root.SetArgs(args)
	name, found := verb(root.PersistentFlags(), args)
	if !found || name == "help" {
		for _, e := range env.List {
			root.AddCommand(e.build(env))
		}
		dress(root, env.List)
		return root, Entry{}, nil
	}
	entry, known := env.List.Find(name)
	if !known {
		return nil, Entry{}, unknown(env.List, name)
	}
	root.AddCommand(entry.build(env), newOptions(env))
	dress(root, nil)
	return root, entry, nil
}

func (e Entry) build(env Env) *cobra.Command {
	c := e.New(env)
	c.Aliases = slices.Compact(slices.Sorted(slices.Values(slices.Concat(c.Aliases, e.Aliases))))
	return c
}

func newRoot(ctx context.Context, o Options) (*cobra.Command, Env) {
	root := &cobra.Command{
		Use:           program,
		Short:         "A cluster for Docker hosts that speaks the Kubernetes API",
		Long:          banner,
		SilenceErrors: true,
		SilenceUsage:  true,
		Run:           func(c *cobra.Command, _ []string) { _ = c.Help() },
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetIn(o.Streams.In)
	root.SetOut(o.Streams.Out)
	root.SetErr(o.Streams.ErrOut)

	if o.Session != nil { // the session's Ctrl-C ends no process; root keeps the terminal itself, to lay out help
		o.Streams.Out = stoppable{ctx, o.Streams.Out}
	}
	client := newClient(ctx, o.Scope, o.Streams)
	flags := root.PersistentFlags()
	client.AddFlags(flags)
	flags.VarP(&verbosity{}, "v", "v", "Log the client's requests to standard error: 6 their lines, 8 their bodies")
	matching := cmdutil.NewMatchVersionFlags(client)
	matching.AddFlags(flags)

	factory := cmdutil.NewFactory(matching)
	return root, Env{
		Factory: factory, Streams: o.Streams,
		Parts: o.Parts, Session: o.Session, List: Commands(o.Parts),
	}
}

// verb finds the first word of args that is not a global flag or its value.
func verb(global *pflag.FlagSet, args []string) (string, bool) {
	for i := 0; i < len(args); i++ {
		switch a := args[i]; {
		case a == "--":
			return "", false
		case !strings.HasPrefix(a, "-") || a == "-":
			return a, true
		case takesNext(global, a):
			i++
		}
	}
	return "", false
}

// takesNext reports whether the value of a flag is the next argument.
func takesNext(global *pflag.FlagSet, arg string) bool {
	var f *pflag.Flag
	switch name := strings.TrimLeft(arg, "-"); {
	case strings.Contains(arg, "="):
		return false
	case strings.HasPrefix(arg, "--"):
		f = global.Lookup(name)
	case len(name) == 1:
		f = global.ShorthandLookup(name)
	}
	return f != nil && f.NoOptDefVal == ""
}

// unknown is the error for a command that is not in the list, with those it may have meant.
func unknown(list List, name string) error {
	names := &cobra.Command{Use: program}
	names.SuggestionsMinimumDistance = 2
	for _, e := range list {
		if e.Group != groupHidden {
			names.AddCommand(&cobra.Command{Use: e.Name, Run: func(*cobra.Command, []string) {}})
		}
	}
	message := fmt.Sprintf("unknown command %q", name)
	if near := names.SuggestionsFor(name); len(near) > 0 {
		message += ": did you mean " + strings.Join(near, " or ") + "?"
	} else {
		message += fmt.Sprintf(": `%s help` lists them", program)
	}
	return &failure{message, 1}
}
