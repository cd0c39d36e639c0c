// Package script joins the engine to the completion of bash, zsh, fish and PowerShell.
//
// The scripts are cobra's: they call `leme __complete WORD…` and read lines of "candidate, tab,
// description", then a line with a colon and a number that says how to insert them.
package script

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"leme/completion"
)

// Write prints the script for a shell: bash, zsh, fish or powershell.
func Write(shell string, out io.Writer) error {
	root := &cobra.Command{Use: "leme"}
	switch shell {
	case "bash":
		return root.GenBashCompletionV2(out, true)
	case "zsh":
		return root.GenZshCompletion(out)
	case "fish":
		return root.GenFishCompletion(out, true)
	case "powershell":
		return root.GenPowerShellCompletionWithDesc(out)
	}
	return fmt.Errorf("no completion for %q: choose bash, zsh, fish or powershell", shell)
}

// NewCmdCompletion is `leme completion SHELL`.
func NewCmdCompletion(streams genericiooptions.IOStreams) *cobra.Command {
	return &cobra.Command{
		Use:   "completion bash|zsh|fish|powershell",
		Short: "Print the completion script for your own shell",
		Long: `Print the script that lets your own shell complete leme's commands, flags and what is in the cluster.

bash needs the package bash-completion.`,
		Example: `  # bash, now and in every new session
  source <(leme completion bash)
  leme completion bash > /etc/bash_completion.d/leme

  # zsh
  leme completion zsh > "${fpath[1]}/_leme"

  # fish
  leme completion fish > ~/.config/fish/completions/leme.fish

  # PowerShell
  leme completion powershell | Out-String | Invoke-Expression`,
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		RunE:      func(_ *cobra.Command, args []string) error { return Write(args[0], streams.Out) },
	}
}

// Complete answers the scripts: args are the words of the line after the program's name, the last one under the cursor.
func Complete(engine *completion.Engine, args []string, out io.Writer) {
	if len(args) == 0 {
		args = []string{""}
	}
	words, word := args[:len(args)-1], args[len(args)-1]
	candidates := engine.Complete(completion.Request{Words: words, Word: word})
	how := cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	if len(candidates) == 0 && completion.TakesFile(words) {
		how = cobra.ShellCompDirectiveDefault
	}
	for _, c := range candidates {
		if c.NoSpace {
			how |= cobra.ShellCompDirectiveNoSpace
		}
		fmt.Fprintf(out, "%s\t%s\n", c.Text, oneLine(c.Description))
	}
	fmt.Fprintf(out, ":%d\n", how)
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
