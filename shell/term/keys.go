package term

import (
	"bytes"
	"time"
	"unicode/utf8"

	"github.com/c-bata/go-prompt"
)

const (
	escape   = 0x1b
	maxRun   = 1024    // bytes of printable text in one key
	maxPaste = 1 << 20 // bytes of one paste; the rest is dropped
)

// Times that a terminal may take between the bytes of one key.
const (
	withinSequence = 50 * time.Millisecond
	withinPaste    = 2 * time.Second
)

// Line ends and tabs within the line being edited, where go-prompt can show neither.
const (
	LineEndMark = '␊'
	TabMark     = '␉'
)

// source yields the bytes of the terminal. ok is false when none came within the time.
type source interface {
	next(within time.Duration) (b byte, ok bool)
}

// decoder groups bytes into keys: a control byte, an escape sequence, a paste, or a run of printable text.
type decoder struct {
	in   source
	held []byte // read too far
}

func (d *decoder) next(within time.Duration) (byte, bool) {
	if len(d.held) > 0 {
		b := d.held[0]
		d.held = d.held[1:]
		return b, true
	}
	return d.in.next(within)
}

// key returns the next key as go-prompt wants it, or nil for one that means nothing to it.
func (d *decoder) key(first byte) []byte {
	switch {
	case first == escape:
		return d.sequence()
	case first < ' ' || first == 0x7f:
		return []byte{first}
	}
	return d.run(first)
}

// run reads printable text for as long as it comes without a pause. Bytes that are no UTF-8 are dropped.
func (d *decoder) run(first byte) []byte {
	var text []byte
	for b, ok := first, true; ok; b, ok = d.next(0) {
		if b < ' ' || b == 0x7f || len(text) >= maxRun {
			d.held = append(d.held, b)
			break
		}
		text = append(text, d.letter(b)...)
	}
	return text
}

func (d *decoder) letter(first byte) []byte {
	letter := []byte{first}
	for !utf8.FullRune(letter) {
		b, ok := d.next(withinSequence)
		if !ok {
			return nil
		}
		letter = append(letter, b)
	}
	if r, n := utf8.DecodeRune(letter); r == utf8.RuneError && n == 1 {
		d.held = append(d.held, letter[1:]...)
		return nil
	}
	return letter
}

// sequence reads what follows an escape.
func (d *decoder) sequence() []byte {
	b, ok := d.next(withinSequence)
	if !ok {
		return []byte{escape}
	}
	switch b {
	case '[':
		return d.control()
	case 'O':
		return d.application()
	case 'b', 'f', 'd', 0x7f:
		return []byte{escape, b} // Alt with a letter that is bound
	case escape:
		d.held = append(d.held, b)
	}
	return nil
}

// control reads a control sequence: parameters up to a final letter. Those that go-prompt does not know are dropped.
func (d *decoder) control() []byte {
	seq := []byte{escape, '['}
	for len(seq) < 32 {
		b, ok := d.next(withinSequence)
		if !ok {
			return nil
		}
		seq = append(seq, b)
		if b >= 0x40 && b <= 0x7e && (b != '[' || len(seq) != 3) {
			break
		}
	}
	if string(seq) == "\x1b[200~" {
		return d.paste()
	}
	return known(seq)
}

// application reads a key of the application mode. Home and End are passed on in the form that go-prompt knows.
func (d *decoder) application() []byte {
	b, ok := d.next(withinSequence)
	if !ok {
		return nil
	}
	if b == 'H' || b == 'F' {
		return []byte{escape, '[', b}
	}
	return known([]byte{escape, 'O', b})
}

func known(seq []byte) []byte {
	if prompt.GetKey(seq) == prompt.NotDefined {
		return nil
	}
	return seq
}

// paste reads a bracketed paste into one run of text. It is not run before Enter: its line ends become marks.
func (d *decoder) paste() []byte {
	end := []byte("\x1b[201~")
	var text []byte
	for !bytes.HasSuffix(text, end) {
		b, ok := d.next(withinPaste)
		if !ok {
			break
		}
		if text = append(text, b); len(text) > maxPaste+len(end) {
			text = append(text[:maxPaste], text[len(text)-len(end):]...)
		}
	}
	return []byte(Marked(string(bytes.TrimRight(bytes.TrimSuffix(text, end), "\r\n"))))
}
