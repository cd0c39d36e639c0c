package term

import (
	"bytes"
	"io"
	"strconv"
	"strings"

	"github.com/c-bata/go-prompt"
)

// Writer draws for go-prompt. It is a prompt.ConsoleWriter that can be without colours, and can be muted: go-prompt
// writes its line once more when it returns, which a redraw does not want to see.
type Writer struct {
	out    io.Writer
	plain  bool
	muted  bool
	buffer bytes.Buffer
}

var _ prompt.ConsoleWriter = (*Writer)(nil)

// NewWriter draws on out; plain means without colours.
func NewWriter(out io.Writer, plain bool) *Writer { return &Writer{out: out, plain: plain} }

// Mute drops what is written from now on, or ends that.
func (w *Writer) Mute(on bool) { w.muted = on }

// Flush passes on what was written.
func (w *Writer) Flush() error {
	defer w.buffer.Reset()
	if w.muted {
		return nil
	}
	_, err := w.out.Write(w.buffer.Bytes())
	return err
}

// WriteRaw, Write, WriteRawStr and WriteStr write text; the ones without Raw keep out escape sequences.

func (w *Writer) WriteRaw(data []byte)    { w.buffer.Write(data) }
func (w *Writer) WriteRawStr(data string) { w.buffer.WriteString(data) }
func (w *Writer) Write(data []byte)       { w.WriteStr(string(data)) }
func (w *Writer) WriteStr(data string)    { w.buffer.WriteString(strings.ReplaceAll(data, "\x1b", "?")) }

// csi writes a control sequence, unless its count is there and not positive.
func (w *Writer) csi(final string, count ...int) {
	if len(count) == 1 && count[0] <= 0 {
		return
	}
	w.buffer.WriteString("\x1b[")
	for i, n := range count {
		if i > 0 {
			w.buffer.WriteByte(';')
		}
		w.buffer.WriteString(strconv.Itoa(n))
	}
	w.buffer.WriteString(final)
}

func (w *Writer) EraseScreen()          { w.csi("2J") }
func (w *Writer) EraseUp()              { w.csi("1J") }
func (w *Writer) EraseDown()            { w.csi("J") }
func (w *Writer) EraseStartOfLine()     { w.csi("1K") }
func (w *Writer) EraseEndOfLine()       { w.csi("K") }
func (w *Writer) EraseLine()            { w.csi("2K") }
func (w *Writer) ShowCursor()           { w.csi("?25h") }
func (w *Writer) HideCursor()           { w.csi("?25l") }
func (w *Writer) CursorGoTo(row, c int) { w.csi("H", max(row, 1), max(c, 1)) }
func (w *Writer) AskForCPR()            { w.csi("6n") }
func (w *Writer) SaveCursor()           { w.csi("s") }
func (w *Writer) UnSaveCursor()         { w.csi("u") }
func (w *Writer) ScrollDown()           { w.WriteRawStr("\x1bD") }
func (w *Writer) ScrollUp()             { w.WriteRawStr("\x1bM") }

// SetTitle and ClearTitle leave the terminal's title to its owner.

func (w *Writer) SetTitle(string) {}
func (w *Writer) ClearTitle()     {}

// The cursor's moves go the other way for a negative count.

func (w *Writer) CursorUp(n int)       { w.csi("A", n); w.csi("B", -n) }
func (w *Writer) CursorDown(n int)     { w.csi("B", n); w.csi("A", -n) }
func (w *Writer) CursorForward(n int)  { w.csi("C", n); w.csi("D", -n) }
func (w *Writer) CursorBackward(n int) { w.csi("D", n); w.csi("C", -n) }

// SetColor sets the colours of what follows. Without colours, bold text, which is the selected candidate, is inverted.
func (w *Writer) SetColor(text, ground prompt.Color, bold bool) {
	switch {
	case w.plain && bold:
		w.csi("m", 0, 7)
	case w.plain:
		w.csi("m", 0, 0)
	case bold:
		w.csi("m", 1, colour(text), 10+colour(ground))
	default:
		w.csi("m", 0, colour(text), 10+colour(ground))
	}
}

// colour is the number of a foreground colour in ECMA-48; a background's is ten more.
func colour(c prompt.Color) int {
	switch {
	case c >= prompt.Black && c <= prompt.LightGray:
		return 30 + int(c-prompt.Black)
	case c >= prompt.DarkGray && c <= prompt.White:
		return 90 + int(c-prompt.DarkGray)
	}
	return 39
}
