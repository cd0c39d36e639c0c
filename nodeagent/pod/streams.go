package pod

import "io"

// Streams are the ends of an interactive session with a process in a container. Those that are not wanted are nil.
type Streams struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer // with TTY everything comes on Stdout
	TTY            bool
	Resize         <-chan TerminalSize // may be nil; ends when closed
}

// TerminalSize is a terminal's size in characters.
type TerminalSize struct {
	Width, Height uint16
}
