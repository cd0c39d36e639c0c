package shell

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"leme/shell/command"
)

// hear collects the session's signals from now on, until stop is called.
func hear() (heard chan os.Signal, stop func()) {
	heard = make(chan os.Signal, 8)
	signal.Notify(heard, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGWINCH)
	return heard, func() { signal.Stop(heard) }
}

// signals handles the session's signals until ctx ends: Ctrl-C ends the line that runs, a new size draws the prompt
// anew, and SIGTERM and SIGHUP end the session through stop.
func (l *loop) signals(ctx context.Context, heard <-chan os.Signal, stop context.CancelFunc) {
	for {
		select {
		case <-ctx.Done():
			l.terminalParser().Leave()
			return
		case s := <-heard:
			switch s {
			case syscall.SIGINT:
				l.interrupt()
			case syscall.SIGWINCH:
				l.resized()
			case syscall.SIGTERM, syscall.SIGHUP:
				l.end(128 + int(s.(syscall.Signal)))
				stop()
			}
		}
	}
}

// runs notes that a line runs, or with nil that none does.
func (l *loop) runs(cancel context.CancelCauseFunc) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.running = cancel
}

func (l *loop) interrupt() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running != nil {
		l.running(command.ErrInterrupted)
	}
}

// resized makes the editor take the new size. While a line runs there is nothing to draw.
func (l *loop) resized() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running == nil {
		l.parser.Leave()
	}
}

func (l *loop) end(code int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = code
}

// endedBy is the exit code of a session that was ended from outside.
func (l *loop) endedBy() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ended
}

// learn draws the prompt anew when the completion has learnt something.
func (l *loop) learn(ctx context.Context) {
	notifier, ok := l.candidates.engine.(command.Notifier)
	if !ok {
		return
	}
	changed := notifier.Changed()
	for {
		select {
		case <-ctx.Done():
			return
		case <-changed:
			changed = notifier.Changed() // before the answer is drawn, so that nothing new is missed
			l.terminalParser().Redraw()
		}
	}
}
