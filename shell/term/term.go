// Package term is what go-prompt and the session need of a terminal: keys read one at a time, its modes kept and given
// back, a writer for go-prompt, and children that own the terminal while they run.
//
// go-prompt's own parser leaves the terminal raw, loses an Enter that arrives together with text, and takes unknown
// escape sequences and pastes for typing; Parser stands in for it.
package term

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// IsTerminal reports whether f is a terminal.
func IsTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// Modes are a terminal's modes at one moment.
type Modes struct {
	fd    int
	saved unix.Termios
}

// Save keeps the modes of the terminal f.
func Save(f *os.File) (*Modes, error) {
	fd := int(f.Fd())
	saved, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil, fmt.Errorf("reading the modes of the terminal: %w", err)
	}
	return &Modes{fd: fd, saved: *saved}, nil
}

// Restore gives the terminal its kept modes, once what was written has left; what was typed ahead stays.
func (m *Modes) Restore() error {
	return m.set(&m.saved)
}

// calm gives the terminal its kept modes, but that it does not show ^C: a command that Ctrl-C ends leaves the cursor
// where it wrote last, and the next prompt begins there.
func (m *Modes) calm() error {
	t := m.saved
	t.Lflag &^= unix.ECHOCTL
	return m.set(&t)
}

func (m *Modes) set(t *unix.Termios) error {
	if err := unix.IoctlSetTermios(m.fd, unix.TCSETSW, t); err != nil {
		return fmt.Errorf("setting the modes of the terminal: %w", err)
	}
	return nil
}

// raw turns off line editing, echo and signals, and leaves the handling of output alone.
func (m *Modes) raw() error {
	t := m.saved
	t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	return m.set(&t)
}

// Size returns the columns and rows of the terminal f, 80 and 24 where it does not know.
func Size(f *os.File) (columns, rows int) {
	ws, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil || ws.Col == 0 || ws.Row == 0 {
		return 80, 24
	}
	return int(ws.Col), int(ws.Row)
}
