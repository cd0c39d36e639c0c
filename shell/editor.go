package shell

import (
	"fmt"
	"os"

	"github.com/c-bata/go-prompt"
	"github.com/mattn/go-runewidth"

	"leme/shell/term"
)

// editor reads lines on a terminal. It holds go-prompt, which edits and completes, and keeps it from its faults.
type editor struct {
	prompt     *prompt.Prompt
	parser     *term.Parser
	writer     *term.Writer
	tty        *os.File
	candidates *candidates
	history    *history
	look       func(columns int) (text string, colour prompt.Color)
	shown      string // the prefix on the screen
	column     int    // of the cursor within the line as last drawn, the prefix left aside
	continued  bool   // the line goes on from one before: Ctrl-C ends it
	stopped    bool   // it has
}

func newEditor(tty *os.File, parser *term.Parser, plain bool, c *candidates, h *history) (e *editor, err error) {
	defer func() {
		if r := recover(); r != nil { // go-prompt panics without /dev/tty
			err = fmt.Errorf("opening the prompt: %v", r)
		}
	}()
	e = &editor{parser: parser, writer: term.NewWriter(tty, plain), tty: tty, candidates: c, history: h}
	e.prompt = prompt.New(func(string) {}, e.complete, e.options()...)
	return e, nil
}

func (e *editor) options() []prompt.Option {
	return []prompt.Option{
		prompt.OptionParser(e.parser),
		prompt.OptionWriter(e.writer),
		prompt.OptionLivePrefix(e.prefix),
		prompt.OptionSetExitCheckerOnInput(e.leaving),
		prompt.OptionAddKeyBind(
			prompt.KeyBind{Key: prompt.ControlR, Fn: e.search},
			prompt.KeyBind{Key: prompt.ControlC, Fn: func(*prompt.Buffer) { e.stopped = e.continued }},
			prompt.KeyBind{Key: prompt.Tab, Fn: e.tabbed},
			prompt.KeyBind{Key: prompt.BackTab, Fn: e.tabbed},
			prompt.KeyBind{Key: term.RedrawKey, Fn: func(*prompt.Buffer) { e.candidates.forget() }},
			prompt.KeyBind{Key: prompt.ControlLeft, Fn: prompt.GoLeftWord},
			prompt.KeyBind{Key: prompt.ControlRight, Fn: prompt.GoRightWord},
		),
		prompt.OptionAddASCIICodeBind(
			prompt.ASCIICodeBind{ASCIICode: []byte("\x1bb"), Fn: prompt.GoLeftWord},
			prompt.ASCIICodeBind{ASCIICode: []byte("\x1bf"), Fn: prompt.GoRightWord},
			prompt.ASCIICodeBind{ASCIICode: []byte("\x1b\x7f"), Fn: prompt.DeleteWord},
		),
		prompt.OptionSuggestionTextColor(prompt.White), prompt.OptionSuggestionBGColor(prompt.DarkGray),
		prompt.OptionDescriptionTextColor(prompt.LightGray), prompt.OptionDescriptionBGColor(prompt.DarkGray),
		prompt.OptionSelectedSuggestionTextColor(prompt.Black), prompt.OptionSelectedSuggestionBGColor(prompt.Turquoise),
		prompt.OptionSelectedDescriptionTextColor(prompt.Black), prompt.OptionSelectedDescriptionBGColor(prompt.Turquoise),
		prompt.OptionScrollbarBGColor(prompt.DarkGray), prompt.OptionScrollbarThumbColor(prompt.LightGray),
	}
}

// ReadLine lets the user edit one line, from what an earlier call left in it when that ended with term.Left. It never
// panics: when go-prompt does, the line is lost and the error says so.
func (e *editor) ReadLine(continued bool) (text string, ending term.Ending, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the line editor failed: %v", r)
		}
	}()
	e.continued, e.stopped = continued, false
	e.prepare()
	text = e.prompt.Input()
	e.writer.Mute(false)
	return term.Unmarked(text), e.parser.Ending(), nil
}

// prepare sets what go-prompt takes only between lines.
func (e *editor) prepare() {
	lines := make([]string, len(e.history.entries))
	for i, entry := range e.history.entries {
		lines[i] = term.Marked(entry)
	}
	_, rows := term.Size(e.tty)
	e.apply(prompt.OptionHistory(lines), prompt.OptionMaxSuggestion(uint16(min(8, max(1, rows-2)))))
	e.colour()
}

func (e *editor) apply(options ...prompt.Option) {
	for _, o := range options {
		_ = o(e.prompt) // these options cannot fail
	}
}

func (e *editor) colour() {
	columns, _ := term.Size(e.tty)
	_, c := e.look(columns)
	e.apply(prompt.OptionPrefixTextColor(c))
}

// prefix is go-prompt's live prefix.
func (e *editor) prefix() (string, bool) {
	columns, _ := term.Size(e.tty)
	e.shown = "> "
	if !e.continued {
		e.shown, _ = e.look(columns)
	}
	return e.shown, true
}

// complete is go-prompt's completer, which is asked before each drawing.
func (e *editor) complete(d prompt.Document) []prompt.Suggest {
	if e.prompt != nil {
		e.colour()
	}
	if d.Text != "" {
		e.column = d.DisplayCursorPosition()
	} else {
		e.column = 0
	}
	return e.candidates.suggest(d.TextBeforeCursor())
}

// tabbed follows a Tab. One that found no candidates selects none, and those that come later may be drawn.
func (e *editor) tabbed(*prompt.Buffer) {
	if len(e.candidates.answer) == 0 {
		e.parser.Unchosen()
	}
}

// leaving is go-prompt's exit checker. What go-prompt draws while it returns is not wanted: the line goes on.
func (e *editor) leaving(text string, breakline bool) bool {
	if !e.stopped && !e.parser.Leaving(text, breakline) {
		return false
	}
	e.writer.Mute(true)
	return true
}

// wipe takes the line being edited off the screen, for what is to be drawn in its place.
func (e *editor) wipe() {
	columns, _ := term.Size(e.tty)
	up := (runewidth.StringWidth(e.shown) + e.column) / columns
	e.writer.WriteRawStr("\r")
	e.writer.CursorUp(up)
	e.writer.EraseDown()
	_ = e.writer.Flush() // a terminal that is gone ends the session
}
