package term

import "github.com/c-bata/go-prompt"

// The keys that pause the reading. Escape stands for the parser's own leaveKey; a single Escape pauses nothing.
const (
	keyEnter     = '\r'
	keyInterrupt = 0x03 // Ctrl-C
	keyEOF       = 0x04 // Ctrl-D
	keySearch    = 0x12 // Ctrl-R: its own loop reads on with Key
	keyLeave     = escape
)

// note stops the reading after a key that go-prompt may end the line for, and follows whether a candidate is selected.
func (p *Parser) note(key []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch prompt.GetKey(key) {
	case prompt.Tab, prompt.BackTab:
		p.chosen = true
	case prompt.Up, prompt.Down:
	default:
		p.chosen = false
	}
	switch string(key) {
	case "\r", "\n":
		p.paused = keyEnter
	case string(leaveKey):
		p.paused = keyLeave
	case string([]byte{keyEOF}), string([]byte{keyInterrupt}), string([]byte{keySearch}):
		p.paused = key[0]
	}
}

// Ending says why the line ended; it is for use after go-prompt returned it.
func (p *Parser) Ending() Ending {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.paused == keyEnter:
		return Entered
	case p.paused == keyInterrupt:
		return Interrupted
	case p.paused == keyLeave && !p.gone:
		return Left
	}
	return EndOfFile
}

// Leaving is the prompt.ExitChecker that belongs to the parser: it ends the line after Leave. That it is asked after
// Ctrl-C or Ctrl-D means that the line goes on.
func (p *Parser) Leaving(string, bool) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.paused == keyEOF || p.paused == keyInterrupt {
		p.paused = 0
	}
	return p.paused == keyLeave
}

// Resume reads on after Ctrl-R.
func (p *Parser) Resume() {
	p.mu.Lock()
	p.paused = 0
	p.mu.Unlock()
}
