package shell

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"leme/shell/command"
	"leme/shell/line"
)

// maxCommand bounds one command of a script, its here documents included, in bytes.
const maxCommand = 16 << 20

// script runs commands from in until one fails; name is what its errors call it. Each runs as soon as it is whole, so
// that a program may write commands and wait for their answers.
func (s *session) script(ctx context.Context, name string, in io.Reader) int {
	reader := chunks{in: bufio.NewReader(in), home: s.home}
	for !s.done && ctx.Err() == nil {
		chunk, err := reader.next()
		if errors.Is(err, io.EOF) {
			break
		}
		var syntax *line.Error
		if errors.As(err, &syntax) {
			fmt.Fprintf(s.streams.ErrOut, "error: %s:%d: %s\n", name, reader.first+syntax.Line-1, syntax.Message)
			return codeSyntax
		}
		if err != nil {
			return s.fail(fmt.Errorf("reading %s: %w", name, err))
		}
		failed := false
		code := s.steps(ctx, chunk, func(step line.Step, code int) bool {
			failed = true
			fmt.Fprintf(s.streams.ErrOut, "error: %s:%d: stopped: the command ended with exit code %d\n",
				name, reader.first+step.Line-1, code)
			return true
		})
		if failed || code == command.CodeInterrupted {
			break
		}
	}
	return s.code
}

// chunks reads a script one whole command, or line of commands, at a time.
type chunks struct {
	in    *bufio.Reader
	home  string
	first int // the line on which the chunk returned last begins, from 1
	lines int // read so far
}

// next returns the next commands, io.EOF behind the last, or a *line.Error whose line counts from first.
func (c *chunks) next() ([]line.Step, error) {
	var text strings.Builder
	c.first = c.lines + 1
	for {
		more, err := c.in.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		ended := err != nil
		if more != "" {
			c.lines++
			text.WriteString(more)
		}
		if ended && text.Len() == 0 {
			return nil, io.EOF
		}
		if text.Len() > maxCommand {
			return nil, &line.Error{Line: 1, Message: fmt.Sprintf("a command is longer than %d MiB", maxCommand>>20)}
		}
		steps, err := line.Parse(text.String(), c.home)
		if errors.Is(err, line.ErrIncomplete) && !ended {
			continue
		}
		if err != nil || len(steps) > 0 {
			return steps, err
		}
		if ended {
			return nil, io.EOF
		}
		text.Reset()
		c.first = c.lines + 1
	}
}
