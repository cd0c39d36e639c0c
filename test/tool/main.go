// Command tool is the program in the containers of the end-to-end tests. Its arguments are steps, done one after the
// other, with "then" between them:
//
//	tool env GREETING then write /data/x hello then exit 3
//
// Under the name tar it is as much of that as kubectl cp needs.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// steps are what the program can do.
var steps = map[string]func(args []string) error{
	"echo":   echo,
	"env":    env,
	"cat":    cat,
	"stat":   stat,
	"link":   link,
	"fs":     filesystem,
	"write":  write,
	"remove": remove,
	"id":     id,
	"exit":   exit,
	"stay":   stay,
	"deaf":   deaf,
	"burn":   burn,
	"told":   told,
	"eat":    eat,
	"serve":  serve,
	"get":    get,
}

func main() {
	if filepath.Base(os.Args[0]) == "tar" {
		if err := archive(os.Args[1:]); err != nil {
			fail(err)
		}
		return
	}
	for args := os.Args[1:]; len(args) > 0; {
		step, rest := args, []string(nil)
		if i := slices.Index(args, "then"); i >= 0 {
			step, rest = args[:i], args[i+1:]
		}
		do, ok := steps[step[0]]
		if !ok {
			fail(fmt.Errorf("no step %q", step[0]))
		}
		if err := do(step[1:]); err != nil {
			fail(err)
		}
		args = rest
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "tool:", err)
	os.Exit(2)
}
