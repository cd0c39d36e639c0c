package main

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// reference is every command's own help, as one page.
func reference(root *cobra.Command) []byte {
	var out bytes.Buffer
	fmt.Fprint(&out, "# The commands\n\nMade from the commands' own help by `make generate`. In the shell, leave out `leme`.\n\n")
	fmt.Fprintf(&out, "Flags of every command:\n\n```\n%s```\n", root.PersistentFlags().FlagUsages())
	for _, c := range root.Commands() {
		section(&out, c)
	}
	return out.Bytes()
}

func section(out *bytes.Buffer, c *cobra.Command) {
	if !c.IsAvailableCommand() {
		return
	}
	fmt.Fprintf(out, "\n## %s\n\n%s\n", c.CommandPath(), paragraph(c))
	if c.Runnable() {
		fmt.Fprintf(out, "\n```\n%s\n```\n", c.UseLine())
	}
	if c.Example != "" {
		fmt.Fprintf(out, "\n```sh\n%s\n```\n", strings.Trim(c.Example, "\n"))
	}
	if flags := c.LocalNonPersistentFlags(); flags.HasAvailableFlags() {
		fmt.Fprintf(out, "\n```\n%s```\n", flags.FlagUsages())
	}
	for _, sub := range c.Commands() {
		section(out, sub)
	}
}

func paragraph(c *cobra.Command) string {
	if c.Long != "" {
		return strings.TrimSpace(c.Long)
	}
	return c.Short
}
