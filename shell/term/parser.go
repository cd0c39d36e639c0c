package term

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/c-bata/go-prompt"
	"golang.org/x/sys/unix"
)

// Ending says why the reading of a line ended.
type Ending int

// A line ends with Enter, with Ctrl-D on an empty line, with Ctrl-C where the owner wants that, or because Leave was
// called.
const (
	EndOfFile Ending = iota
	Entered
	Interrupted
	Left
)

// Keys that no keyboard sends are the parser's own signals to go-prompt.
var (
	redrawKey = []byte{escape, '[', 0x24, ';', '2', '~'} // F24
	leaveKey  = []byte{escape, '[', 0x23, ';', '2', '~'} // F23
)

// RedrawKey is what go-prompt sees after Redraw.
const RedrawKey = prompt.F24

// errNoKey tells go-prompt to ask again.
var errNoKey = errors.New("no key")

// Parser reads keys for go-prompt. It is a prompt.ConsoleParser.
//
// After a key that may end the line it gives no further ones until the line has ended or is known to go on:
// go-prompt would read ahead and lose them.
type Parser struct {
	in, out *os.File
	modes   *Modes
	waker   [2]int // a pipe: a byte in it ends the waiting for keys
	keys    decoder

	mu     sync.Mutex
	paused byte // the key that paused the reading, or 0
	redraw bool
	leave  bool
	chosen bool // a candidate is selected: a redraw would take it
	gone   bool // the terminal has hung up
	closed bool
}

// Open takes the terminal that in reads and out writes.
func Open(in, out *os.File) (*Parser, error) {
	modes, err := Save(in)
	if err != nil {
		return nil, err
	}
	p := &Parser{in: in, out: out, modes: modes}
	if err := unix.Pipe2(p.waker[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return nil, fmt.Errorf("making a pipe: %w", err)
	}
	p.keys.in = p
	return p, nil
}

// Close gives the terminal back as it was when it was opened. A Read that still comes waits for ever, so that a reader
// left behind by a failed prompt costs nothing.
func (p *Parser) Close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.wake()
	return errors.Join(p.TearDown(), p.modes.Restore())
}

// Setup begins the reading of a line.
func (p *Parser) Setup() error {
	p.mu.Lock()
	p.paused, p.redraw, p.chosen = 0, false, false
	p.mu.Unlock()
	if err := p.modes.raw(); err != nil {
		return err
	}
	_, err := p.out.WriteString("\x1b[?2004h") // mark pastes
	return err
}

// TearDown ends it: the terminal edits and echoes lines and makes signals of keys, for what the line runs.
func (p *Parser) TearDown() error {
	_, err := p.out.WriteString("\x1b[?2004l")
	return errors.Join(p.modes.calm(), err)
}

// GetWinSize returns the size that go-prompt should draw for. Sizes in which it would fail are not told to it: too few
// columns for a candidate, and any number of rows, as it refuses to draw when it finds them too few.
func (p *Parser) GetWinSize() *prompt.WinSize {
	columns, _ := Size(p.out)
	return &prompt.WinSize{Row: 10_000, Col: uint16(max(columns, minColumns))}
}

const minColumns = 16

// Read returns the next key.
func (p *Parser) Read() ([]byte, error) {
	p.mu.Lock()
	paused, closed := p.paused != 0, p.closed
	p.mu.Unlock()
	if closed {
		select {}
	}
	if paused {
		return nil, errNoKey
	}
	key := p.Key()
	if key == nil {
		return nil, errNoKey
	}
	p.note(key)
	return key, nil
}

// Push gives this key before those of the terminal.
func (p *Parser) Push(key []byte) { p.keys.held = append(append([]byte{}, key...), p.keys.held...) }

// Key waits for the next key, also while the reading is paused. It is nil for one that means nothing.
func (p *Parser) Key() []byte {
	if signal := p.signal(); signal != nil {
		return signal
	}
	if b, ok := p.keys.next(-1); ok {
		return p.keys.key(b)
	}
	return p.signal()
}

func (p *Parser) signal() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.leave:
		p.leave = false
		return leaveKey
	case p.redraw && !p.chosen:
		p.redraw = false
		return redrawKey
	}
	return nil
}

// Redraw makes go-prompt draw its line again, once no candidate is selected.
func (p *Parser) Redraw() { p.tell(&p.redraw) }

// Unchosen says that the last key selected no candidate after all.
func (p *Parser) Unchosen() {
	p.mu.Lock()
	p.chosen = false
	p.mu.Unlock()
	p.wake()
}

// Leave makes go-prompt return; the text being edited survives.
func (p *Parser) Leave() { p.tell(&p.leave) }

func (p *Parser) tell(signal *bool) {
	p.mu.Lock()
	*signal = true
	p.mu.Unlock()
	p.wake()
}

func (p *Parser) wake() { _, _ = unix.Write(p.waker[1], []byte{0}) } // a full pipe wakes too
