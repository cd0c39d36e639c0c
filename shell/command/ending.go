package command

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"

	cmdutil "k8s.io/kubectl/pkg/cmd/util"
)

// failure is a command's end as kubectl reports it: a message, which may be empty, and an exit code.
type failure struct {
	message string
	code    int
}

func (f *failure) Error() string { return f.message }

// ending is how a command ends: as it returns, or, before that, where kubectl's library would end the process. It does
// so on any of its goroutines, so the command has one of its own too: each can then end without the others.
type ending struct {
	mu    sync.Mutex
	first *failure
}

// fatal takes the place of os.Exit in kubectl's library: it ends the goroutine that calls it.
func (e *ending) fatal(message string, code int) {
	e.mu.Lock()
	if e.first == nil {
		e.first = &failure{message, code}
	}
	e.mu.Unlock()
	runtime.Goexit()
}

// of runs a command and returns how it ended: with the first failure, whichever goroutine met it. A panic goes on in
// the caller, who may have a terminal to put in order.
func (e *ending) of(run func() error) (err error) {
	var panicked any
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if r := recover(); r != nil {
				panicked = fmt.Sprintf("%v\n\n%s", r, debug.Stack())
			}
		}()
		err = run()
	}()
	<-done
	if panicked != nil {
		panic(panicked)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.first != nil {
		return e.first
	}
	return err
}

// reported ends a command that is ours with an error as kubectl's end with theirs. It returns for nil alone.
func reported(err error) error {
	cmdutil.CheckErr(err)
	return err
}
