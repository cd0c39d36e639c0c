// Package install puts programs where they are run from, as an installation does, for those who measure their memory.
//
// What the linker has just written lies in the system's page cache in pieces of up to 2 MB, and Linux maps a piece whole at
// its first touch (since 6.18): what is resident of such a program is up to 32 times what is used of it, as chance has
// it. What was copied, or read from the disk, is mapped some 64 kB at a time.
//
//	err := install.Program(filepath.Join(built, "leme"), filepath.Join(bin, "leme"))
package install

import (
	"fmt"
	"io"
	"os"
)

// Program copies a built program to where it is run from. Processes that run what was there before go on with that.
func Program(built, to string) error {
	from, err := os.Open(built)
	if err != nil {
		return fmt.Errorf("installing a program: %w", err)
	}
	defer from.Close()
	next := to + ".new"
	const executable = 0o755
	f, err := os.OpenFile(next, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, executable)
	if err != nil {
		return fmt.Errorf("installing a program: %w", err)
	}
	if _, err := io.Copy(f, from); err != nil {
		f.Close()
		return fmt.Errorf("installing %s: %w", to, err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("installing %s: %w", to, err)
	}
	return os.Rename(next, to)
}
