package shell

import (
	"context"
	"fmt"

	"leme/shell/command"
	"leme/shell/line"
)

// codeSyntax is the exit code of a line that cannot be read, as shells have it.
const codeSyntax = 2

// steps runs steps in their order and returns the last exit code. After steps joined with && and || that failed, stop
// decides whether the rest still runs. Ctrl-C always ends it.
func (s *session) steps(ctx context.Context, steps []line.Step, stop func(line.Step, int) bool) int {
	for i, step := range steps {
		if runs(step, s.code) {
			s.code = s.step(ctx, step)
		}
		if s.done || s.code == command.CodeInterrupted || ctx.Err() != nil {
			break
		}
		if endsRun(steps, i) && s.code != 0 && stop(step, s.code) {
			break
		}
	}
	return s.code
}

// runs reports whether a step runs after one that ended with code.
func runs(step line.Step, code int) bool {
	switch step.When {
	case line.AfterSuccess:
		return code == 0
	case line.AfterFailure:
		return code != 0
	}
	return true
}

// endsRun reports whether the step after i is not joined to it.
func endsRun(steps []line.Step, i int) bool {
	return i+1 == len(steps) || steps[i+1].When == line.Always
}

// goOn is the stop of the prompt: what follows a semicolon runs in any case.
func goOn(line.Step, int) bool { return false }

// step runs one pipeline.
func (s *session) step(ctx context.Context, step line.Step) int {
	plan := planStep(step, func(words []string) command.Mode { return command.ModeOf(words, s.options()) })
	if plan.inProcess {
		return s.inProcess(ctx, plan.stages[0])
	}
	return s.children(ctx, plan)
}

func (s *session) options() command.Options {
	scope, _ := s.Scope()
	return command.Options{Streams: s.streams, Parts: s.parts, Scope: scope, Session: s}
}

// inProcess runs one of Leme's commands that reads or writes once.
func (s *session) inProcess(ctx context.Context, st stage) int {
	files, err := openStreams(st.redirects, s.streams)
	if err != nil {
		return s.fail(err)
	}
	o := s.options()
	o.Streams = files.streams
	code := command.Run(ctx, st.words, o)
	if s.done {
		code = s.code // as exit was told
	}
	if err := files.close(); err != nil && code == 0 {
		return s.fail(err)
	}
	return code
}

func (s *session) fail(err error) int {
	fmt.Fprintln(s.streams.ErrOut, "error:", err)
	return 1
}
