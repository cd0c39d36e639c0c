package shell

import (
	"strings"
	"unicode/utf8"

	"github.com/c-bata/go-prompt"
	"github.com/mattn/go-runewidth"

	"leme/shell/term"
)

// search is the backward search of Ctrl-R. It reads keys itself until one takes or leaves what was found.
func (e *editor) search(buf *prompt.Buffer) {
	defer e.parser.Resume()
	defer func() { // go-prompt moves back as far as its own line reached
		e.writer.WriteRawStr("\r")
		e.writer.EraseDown()
	}()
	found := finder{entries: e.history.entries, at: len(e.history.entries)}
	for {
		e.showSearch(found)
		key := e.parser.Key()
		switch prompt.GetKey(key) {
		case prompt.ControlR:
			found.older()
		case prompt.Backspace, prompt.ControlH:
			found.shorten()
		case prompt.ControlC, prompt.ControlG, prompt.Escape:
			return
		case prompt.NotDefined:
			if len(key) == 0 || key[0] < ' ' {
				continue
			}
			found.lengthen(string(key))
		default: // a key for the line: it takes what was found
			e.take(buf, found.text())
			if k := prompt.GetKey(key); k == prompt.Enter || k == prompt.ControlM || k == prompt.ControlJ {
				e.parser.Push(key)
			}
			return
		}
	}
}

// showSearch draws the search in the row of the cursor; go-prompt draws its line over it again.
func (e *editor) showSearch(f finder) {
	columns, _ := term.Size(e.tty)
	label := "(search)`"
	if f.failed {
		label = "(not found)`"
	}
	text := label + f.wanted + "': " + term.Marked(f.text())
	e.writer.WriteRawStr("\r")
	e.writer.EraseDown()
	e.writer.WriteStr(runewidth.Truncate(text, max(1, columns-1), "…"))
	_ = e.writer.Flush()
}

func (e *editor) take(buf *prompt.Buffer, text string) {
	if text == "" {
		return
	}
	prompt.GoLineEnd(buf)
	buf.DeleteBeforeCursor(utf8.RuneCountInString(buf.Text()))
	buf.InsertText(term.Marked(text), false, true)
}

// finder looks for lines that hold a text, newest first.
type finder struct {
	entries []string
	wanted  string
	at      int // the entry found; len(entries) at first
	failed  bool
}

func (f *finder) text() string {
	if f.at < len(f.entries) {
		return f.entries[f.at]
	}
	return ""
}

// find goes on from the entry at start to older ones.
func (f *finder) find(start int) {
	for i := min(start, len(f.entries)-1); i >= 0 && f.wanted != ""; i-- {
		if strings.Contains(f.entries[i], f.wanted) {
			f.at, f.failed = i, false
			return
		}
	}
	f.failed = f.wanted != ""
}

func (f *finder) older() { f.find(f.at - 1) }

func (f *finder) lengthen(by string) {
	f.wanted += by
	f.find(f.at)
}

func (f *finder) shorten() {
	_, size := utf8.DecodeLastRuneInString(f.wanted)
	f.wanted = f.wanted[:len(f.wanted)-size]
	f.at, f.failed = len(f.entries), false
	f.find(f.at)
}
