package shell

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/c-bata/go-prompt"

	"leme/shell/command"
	"leme/shell/line"
	"leme/shell/term"
)

// interact is the session on a terminal: it reads lines and runs them until the user leaves, ctx ends, or the terminal
// or the system says so. It returns the exit code, and the terminal has its modes back.
func (s *session) interact(ctx context.Context, in, out *os.File) int {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	command.Quiet() // what runs in the background has no place on the screen
	release := term.Guard()
	defer release()
	s.terminal = in
	past, err := openHistory(filepath.Join(command.Home(), "history"))
	if err != nil {
		s.fail(err)
	}
	s.recall = func() []string { return past.entries }
	l := &loop{session: s, in: in, out: out, past: past, candidates: &candidates{scope: s.Scope}}
	l.health = &watcher{changed: l.redraw}
	if s.parts.Completer != nil {
		l.candidates.engine = s.parts.Completer(ctx)
	}
	heard, deaf := hear() // before the terminal has other modes: a signal must not leave it with them
	defer deaf()
	if err := l.open(); err != nil {
		return s.fail(err)
	}
	defer func() { _ = l.parser.Close() }()

	var background sync.WaitGroup
	defer background.Wait()
	defer cancel()
	background.Go(func() { l.health.Run(ctx, s.Scope) })
	background.Go(func() { l.signals(ctx, heard, cancel) })
	background.Go(func() { l.learn(ctx) })
	return l.run(ctx)
}

// loop is one run of the session on a terminal.
type loop struct {
	*session
	in, out    *os.File
	editor     *editor
	candidates *candidates
	past       *history
	health     *watcher
	where      atomic.Pointer[command.Scope] // the scope by name, for the prompt

	mu      sync.Mutex
	parser  *term.Parser
	running context.CancelCauseFunc // of the line that runs; nil at the prompt
	ended   int                     // the exit code that a signal asks for, or 0
}

// run reads and runs lines until the session ends.
func (l *loop) run(ctx context.Context) int {
	fmt.Fprintf(l.streams.Out, "leme %s: help lists the commands, Tab completes, Ctrl-D leaves\n", l.parts.Version)
	pending := "" // the lines so far of a command that is not whole
	for !l.done {
		l.locate()
		l.candidates.begin(pending)
		text, ending, err := l.editor.ReadLine(pending != "")
		switch {
		case ctx.Err() != nil:
			l.editor.wipe()
			return l.endedBy()
		case err != nil:
			l.fail(err)
			if err := l.open(); err != nil {
				return l.fail(err)
			}
		case ending == term.Left:
			l.editor.wipe()
		case ending == term.Interrupted:
			pending = ""
		case ending == term.EndOfFile && pending == "":
			return l.code
		default:
			pending = l.enter(ctx, pending+text, ending == term.EndOfFile)
		}
	}
	return l.code
}

// enter runs what was entered. What is not whole it returns, for more lines to follow; with final none can.
func (l *loop) enter(ctx context.Context, text string, final bool) (pending string) {
	steps, err := line.Parse(text, l.home)
	if errors.Is(err, line.ErrIncomplete) && !final {
		return text + "\n"
	}
	if kept := l.past.Add(strings.TrimRight(text, "\n")); kept != nil {
		l.fail(kept)
	}
	if err != nil {
		l.fail(err)
		l.code = codeSyntax
		return ""
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	l.runs(cancel)
	l.steps(ctx, steps, goOn)
	l.runs(nil)
	return ""
}

// open takes the terminal, or takes it anew after the editor failed.
func (l *loop) open() error {
	parser, err := term.Open(l.in, l.out)
	if err != nil {
		return err
	}
	l.mu.Lock()
	old := l.parser
	l.parser = parser
	l.mu.Unlock()
	if old != nil {
		_ = old.Close()
	}
	_, plain := os.LookupEnv("NO_COLOR")
	l.editor, err = newEditor(l.out, parser, plain || os.Getenv("TERM") == "dumb", l.candidates, l.past)
	if err != nil {
		return errors.Join(err, parser.Close())
	}
	l.editor.look = func(columns int) (string, prompt.Color) {
		state := l.health.Health()
		return prefix(*l.where.Load(), state, columns), state.colour()
	}
	return nil
}

// locate looks up what the scope is called; the kubeconfig may have changed.
func (l *loop) locate() {
	scope, _ := l.Scope()
	where := named(context.Background(), scope)
	l.where.Store(&where)
}

func (l *loop) redraw() {
	l.locate()
	l.terminalParser().Redraw()
}

func (l *loop) terminalParser() *term.Parser {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.parser
}
