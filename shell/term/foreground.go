package term

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// patience is how long children may take to end once they are asked to.
const patience = 5 * time.Second

// Job is a pipeline of programs whose streams are connected already.
type Job struct {
	Programs []*exec.Cmd
	Ends     []*os.File // what they were connected with here: pipes and files, closed once all have started
	Terminal *os.File   // handed over while they run; nil leaves them in this process's own group
}

// Run runs the job in the terminal's foreground, so that Ctrl-C is its own, waits for it, and takes the terminal back
// with the modes it had. When ctx ends the programs are asked to end, and after a while made to.
//
// The exit code is the last program's, or else that of the first that failed; to die of a closed pipe is no failure.
func (j Job) Run(ctx context.Context) (code int, err error) {
	if j.Terminal != nil {
		modes, err := Save(j.Terminal)
		if err != nil {
			return 1, err
		}
		defer func() { _ = errors.Join(takeBack(j.Terminal), modes.Restore()) }() // what fails shows at the next prompt
	}
	group, err := j.start()
	if err != nil {
		return 126, err
	}
	ended := make(chan struct{})
	defer close(ended)
	stop := context.AfterFunc(ctx, func() { j.end(group, ended) })
	defer stop()
	for i, p := range j.Programs {
		last := i+1 == len(j.Programs)
		if c := exitCode(p.Wait(), !last); c != 0 && (code == 0 || last) {
			code = c
		}
	}
	return code, nil
}

// start starts the programs, with a terminal in one process group: the first one's. group is 0 without a terminal.
func (j Job) start() (group int, err error) {
	defer func() {
		for _, f := range j.Ends {
			_ = f.Close()
		}
	}()
	for i, p := range j.Programs {
		if j.Terminal != nil {
			p.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: group}
			if i == 0 {
				p.SysProcAttr = &syscall.SysProcAttr{Foreground: true, Ctty: int(j.Terminal.Fd())}
			}
		}
		if err := p.Start(); err != nil {
			for _, started := range j.Programs[:i] {
				_ = started.Process.Kill()
				_ = started.Wait()
			}
			return 0, fmt.Errorf("starting %s: %w", p.Path, err)
		}
		if i == 0 && j.Terminal != nil {
			group = p.Process.Pid
		}
	}
	return group, nil
}

// end asks the programs to end, and makes them when they have not after a while.
func (j Job) end(group int, ended <-chan struct{}) {
	j.signal(group, syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(patience):
		j.signal(group, syscall.SIGKILL)
	}
}

func (j Job) signal(group int, s syscall.Signal) {
	if group != 0 {
		_ = syscall.Kill(-group, s)
		return
	}
	for _, p := range j.Programs {
		_ = p.Process.Signal(s)
	}
}

// takeBack makes this process's group the terminal's foreground group again. SIGTTOU must be ignored, see Guard.
func takeBack(tty *os.File) error {
	if err := unix.IoctlSetPointerInt(int(tty.Fd()), unix.TIOCSPGRP, unix.Getpgrp()); err != nil {
		return fmt.Errorf("taking the terminal back: %w", err)
	}
	return nil
}

// closedPipe is how a shell reports that its program died of a closed pipe.
const closedPipe = 128 + int(syscall.SIGPIPE)

// exitCode is the code of a program that ended with err, as shells count; piped means that its output went to another.
func exitCode(err error, piped bool) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case !errors.As(err, &exit):
		return 1
	}
	code := exit.ExitCode()
	if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		code = 128 + int(status.Signal())
	}
	if piped && code == closedPipe {
		return 0
	}
	return code
}
