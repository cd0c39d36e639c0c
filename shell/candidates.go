package shell

import (
	"strings"

	"github.com/c-bata/go-prompt"

	"leme/completion"
	"leme/shell/command"
	"leme/shell/line"
	"leme/shell/term"
)

// maxCandidates bounds what go-prompt is given: it lays out all of it on each key.
const maxCandidates = 100

// candidates answers go-prompt from the completion engine. It keeps its last answer, because go-prompt asks twice a key
// and fails when the candidates change while one is selected.
type candidates struct {
	engine command.Completer // nil: none
	scope  func() (command.Scope, <-chan struct{})

	pending string // lines of the command before this one
	asked   string
	answer  []prompt.Suggest
	fresh   bool
}

// begin starts a line that goes on from pending.
func (c *candidates) begin(pending string) { c.pending, c.fresh = pending, false }

// forget makes the next question go to the engine.
func (c *candidates) forget() { c.fresh = false }

// suggest returns the candidates for text, which ends at the cursor.
func (c *candidates) suggest(text string) []prompt.Suggest {
	if text == "" || c.engine == nil {
		return nil
	}
	if !c.fresh || c.asked != text {
		c.answer, c.asked, c.fresh = c.ask(text), text, true
	}
	return c.answer
}

func (c *candidates) ask(text string) []prompt.Suggest {
	text = term.Unmarked(text)
	at := line.AtEnd(c.pending + text)
	at.Start -= len(c.pending)
	if at.System || at.File || at.Start < 0 { // or the word began on a line before
		return nil
	}
	scope, _ := c.scope()
	found := c.engine.Complete(completion.Request{
		Words: ownWords(at.Words), Word: at.Word, Context: scope.Context, Namespace: scope.Namespace,
	})
	if len(found) == 1 && found[0].Text == at.Word {
		return nil
	}
	found = found[:min(len(found), maxCandidates)]
	var fit []prompt.Suggest
	for _, f := range found {
		if s, ok := replacement(text, at, f); ok {
			fit = append(fit, prompt.Suggest{Text: s, Description: f.Description})
		}
	}
	return fit
}

// replacement is what go-prompt must insert for a candidate. It replaces what stands behind the last blank of the
// text, which is more or less than the word when that is quoted or follows a line end.
func replacement(text string, at line.Cursor, c completion.Candidate) (string, bool) {
	typed := term.Marked(text)
	from := strings.LastIndexByte(typed, ' ') + 1
	wanted := term.Marked(text[:at.Start]) + term.Marked(inserted(at, c))
	if !strings.HasPrefix(wanted, typed[:from]) {
		return "", false
	}
	return wanted[from:], true
}

// inserted is a candidate as it is typed: quoted as the word is, or as it needs.
func inserted(at line.Cursor, c completion.Candidate) string {
	text := line.Quote(c.Text)
	switch {
	case at.Quote == '"':
		text = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`").Replace(c.Text) + `"`
	case at.Quote == '\'' && text == c.Text:
		text = "'" + c.Text + "'"
	}
	if c.NoSpace && len(text) > 1 && (text[0] == '\'' || text[0] == '"') {
		text = text[:len(text)-1] // more follows inside the quote
	}
	return text
}
