package command

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/kubectl/pkg/util/templates"
	"k8s.io/kubectl/pkg/util/term"
)

const banner = `leme runs a cluster on Docker hosts and speaks the Kubernetes API.

  leme up              start a cluster here
  leme                 open the shell
  leme get pods        run one command
  leme -f FILE         run a script`

// dress gives root kubectl's layout of help, with the groups of the list, and this program's name in it.
func dress(root *cobra.Command, list List) {
	templates.ActsAsRootCommand(root, []string{"options"}, grouped(root, list)...)
	if own, _, err := root.Find([]string{"help"}); err == nil && own != root {
		root.SetHelpCommand(own) // or cobra adds a second one
	}
	help, usage := root.HelpFunc(), root.UsageFunc()
	root.SetHelpFunc(func(c *cobra.Command, args []string) {
		_ = renamed(c, func() error { help(c, args); return nil })
	})
	root.SetUsageFunc(func(c *cobra.Command) error { return renamed(c, func() error { return usage(c) }) })
}

// renamed runs print with c's output held back, and passes it on with this program's name.
func renamed(c *cobra.Command, print func() error) error {
	var text bytes.Buffer
	out := c.OutOrStdout()
	c.SetOut(&text)
	defer c.SetOut(out)
	err := print()
	if _, e := term.NewResponsiveWriter(out).Write([]byte(OwnName(text.String()))); err == nil {
		err = e
	}
	return err
}

var otherProgram = regexp.MustCompile(`\bkubectl\b`)

// OwnName puts this program's name in the place of kubectl's in a text of kubectl's library, where it names the program
// to type: not in an address (…/kubectl/), an annotation (kubectl.kubernetes.io) or a field manager
// (kubectl-client-side-apply).
func OwnName(text string) string {
	var own strings.Builder
	rest := 0
	for _, at := range otherProgram.FindAllStringIndex(text, -1) {
		if isPartOfName(text[:at[0]], text[at[1]:]) {
			continue
		}
		own.WriteString(text[rest:at[0]] + program)
		rest = at[1]
	}
	return own.String() + text[rest:]
}

// isPartOfName looks at what stands around a word.
func isPartOfName(before, after string) bool {
	if before != "" && strings.IndexByte("/.-", before[len(before)-1]) >= 0 {
		return true
	}
	if after == "" {
		return false
	}
	sentenceEnds := after[0] == '.' && (len(after) == 1 || after[1] == ' ' || after[1] == '\n')
	return strings.IndexByte("/.-", after[0]) >= 0 && !sentenceEnds
}

func grouped(root *cobra.Command, list List) templates.CommandGroups {
	var all templates.CommandGroups
	for _, name := range groups() {
		group := templates.CommandGroup{Message: name + ":"}
		for _, e := range list {
			if c, _, err := root.Find([]string{e.Name}); err == nil && e.Group == name && c != root {
				group.Commands = append(group.Commands, c)
			}
		}
		if len(group.Commands) > 0 {
			all = append(all, group)
		}
	}
	return all
}

func newHelp(e Env) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Explain a command, or list them all",
		Example: `  # List the commands
  leme help

  # Explain one
  leme help rollout undo`,
		RunE: func(c *cobra.Command, args []string) error {
			target, rest, err := c.Root().Find(args)
			if err != nil || target == nil || (len(rest) > 0 && target == c.Root()) {
				return unknown(e.List, args[0])
			}
			return target.Help()
		},
	}
}
