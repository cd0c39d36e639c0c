package command

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"
)

var errNoSession = errors.New("this works in the shell and in scripts: type `leme` to open the shell")

func newUse(e Env) *cobra.Command {
	return &cobra.Command{
		Use:                   "use NAMESPACE | use ctx CONTEXT | use -",
		DisableFlagsInUseLine: true,
		Short:                 "Choose the namespace or context for the following commands",
		Long: "Choose the namespace or the context for the following commands of this session.\n\n" +
			"The kubeconfig stays as it is; to change it use `leme config set-context --current --namespace=NAMESPACE`.",
		Example: `  # Work in the namespace web
  use web

  # Work with another context
  use ctx staging

  # Go back
  use -`,
		Args: cobra.MaximumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			if e.Session == nil {
				return fmt.Errorf("use: %w; for one command give -n NAMESPACE or --context CONTEXT", errNoSession)
			}
			target, err := parseTarget(args)
			if err != nil {
				return err
			}
			now, err := e.Session.Use(c.Context(), target)
			if err != nil {
				return err
			}
			fmt.Fprintln(e.Streams.Out, now)
			return nil
		},
	}
}

// parseTarget reads the arguments of use.
func parseTarget(args []string) (Target, error) {
	switch {
	case len(args) == 0:
		return Target{}, errors.New("name a namespace: use NAMESPACE, or use ctx CONTEXT, or use - to go back")
	case len(args) == 1 && args[0] == "-":
		return Target{Back: true}, nil
	case args[0] == "ctx" || args[0] == "context":
		if len(args) < 2 {
			return Target{}, errors.New("name a context: use ctx CONTEXT; `config get-contexts` lists them")
		}
		return Target{Context: args[1]}, nil
	case len(args) == 2 && (args[0] == "ns" || args[0] == "namespace"):
		return Target{Namespace: args[1]}, nil
	case len(args) == 2:
		return Target{}, fmt.Errorf("too many words: use %s", args[0])
	}
	return Target{Namespace: args[0]}, nil
}

func newHistory(e Env) *cobra.Command {
	return &cobra.Command{
		Use:   "history [COUNT]",
		Short: "Show the lines entered so far",
		Example: `  # The last 20 lines
  history 20`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if e.Session == nil {
				return fmt.Errorf("history: %w", errNoSession)
			}
			lines := e.Session.History()
			first := 0
			if len(args) == 1 {
				n, err := strconv.Atoi(args[0])
				if err != nil || n < 1 {
					return fmt.Errorf("how many lines is %q? Give a number from 1", args[0])
				}
				first = max(0, len(lines)-n)
			}
			for i, line := range lines[first:] {
				fmt.Fprintf(e.Streams.Out, "%5d  %s\n", first+i+1, line)
			}
			return nil
		},
	}
}

func newExit(e Env) *cobra.Command {
	return &cobra.Command{
		Use:   "exit [CODE]",
		Short: "Leave the shell",
		Long:  "Leave the shell, or end a script, with CODE or else with the exit code of the line before.",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if e.Session == nil {
				return fmt.Errorf("exit: %w", errNoSession)
			}
			code := e.Session.LastCode()
			if len(args) == 1 {
				n, err := strconv.Atoi(args[0])
				if err != nil || n < 0 || n > 255 {
					return fmt.Errorf("an exit code is a number from 0 to 255, not %q", args[0])
				}
				code = n
			}
			e.Session.Exit(code)
			return nil
		},
	}
}
