package term

import (
	"os/signal"
	"syscall"
)

// Guard ignores the signals by which a terminal stops a process, until release is called: a session has no shell above
// it that would make it go on, and takes the terminal back from its children while it is in the background.
// Children inherit the ignoring of Ctrl-Z.
func Guard() (release func()) {
	stops := []syscall.Signal{syscall.SIGTSTP, syscall.SIGTTOU, syscall.SIGTTIN}
	for _, s := range stops {
		signal.Ignore(s)
	}
	return func() {
		for _, s := range stops {
			signal.Reset(s)
		}
	}
}
