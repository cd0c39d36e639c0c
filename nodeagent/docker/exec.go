package docker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/moby/moby/client"
	"golang.org/x/sys/unix"

	"leme/nodeagent/pod"
	"leme/nodeagent/probe"
)

// execOutputLimit bounds what Exec keeps of a command's output, as the kubelet bounds a probe's.
const execOutputLimit = 10 * 1024 // bytes

// Exec runs a command to its end and gives the beginning of what it wrote, standard output and error together.
// When ctx ends first the command is killed, and the error is ctx's, or probe.ErrNoAnswer when the engine hangs. A command that cannot be started is an error.
func (r *Runtime) Exec(ctx context.Context, id string, command []string) (out []byte, code int, err error) {
	defer plainly(&err)
	output := &head{limit: execOutputLimit}
	code, err = r.exec(ctx, id, command, pod.Streams{Stdout: output, Stderr: output}, unix.SIGKILL)
	return output.Bytes(), code, err
}

// ExecStream runs a command with the given streams until it ends, and gives its exit code. When ctx ends first, the
// process loses its terminal (SIGHUP) if it had one; without one it sees the end of its standard input and runs on.
func (r *Runtime) ExecStream(ctx context.Context, id string, command []string, s pod.Streams) (int, error) {
	abandoned := unix.Signal(0)
	if s.TTY {
		abandoned = unix.SIGHUP
	}
	return r.exec(ctx, id, command, s, abandoned)
}

// exec runs a command; onCancel is the signal for a process that outlives ctx.
func (r *Runtime) exec(ctx context.Context, id string, command []string, s pod.Streams, onCancel unix.Signal) (int, error) {
	created, err := r.engine.ExecCreate(ctx, id, client.ExecCreateOptions{
		TTY:          s.TTY,
		AttachStdin:  s.Stdin != nil,
		AttachStdout: s.Stdout != nil,
		AttachStderr: s.Stderr != nil,
		Cmd:          command,
	})
	if err != nil {
		return 0, fmt.Errorf("creating exec: %w", silent(ctx, err))
	}
	attached, err := r.engine.ExecAttach(ctx, created.ID, client.ExecAttachOptions{TTY: s.TTY})
	if err != nil {
		return 0, fmt.Errorf("starting exec: %w", silent(ctx, err))
	}
	resize := func(ctx context.Context, size pod.TerminalSize) error {
		_, err := r.engine.ExecResize(ctx, created.ID, client.ExecResizeOptions{Height: uint(size.Height), Width: uint(size.Width)})
		return err
	}
	said := &refusal{to: orDiscard(s.Stdout)}
	s.Stdout = said
	code := 0
	if err = r.pump(ctx, attached.HijackedResponse, s, resize); err != nil {
		err = fmt.Errorf("copying the streams of exec: %w", err)
	} else {
		// With a terminal the engine ends the output when the input ends: the process may still run.
		code, err = r.exitCode(ctx, created.ID, said)
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	if err != nil {
		if !r.signalExec(ctx, created.ID, id, onCancel) {
			err = silent(ctx, err)
		}
		return 0, err
	}
	return code, nil
}

// silent tells a command for which the engine left no time from one that took too long itself.
func silent(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return probe.ErrNoAnswer
	}
	return err
}

// exitCode is asked for when the streams have ended. An engine that went away ends them as well and knows nothing of
// the exec when it is back, so an end alone never means success.
func (r *Runtime) exitCode(ctx context.Context, exec string, said *refusal) (int, error) {
	var result client.ExecInspectResult
	err := poll(ctx, 10*time.Millisecond, func() (done bool, err error) {
		result, err = r.engine.ExecInspect(ctx, exec, client.ExecInspectOptions{})
		return !result.Running, err
	})
	if err != nil {
		return 0, fmt.Errorf("asking for the exit code: %w", err)
	}
	return result.ExitCode, said.check(exec, result)
}

// poll calls done at growing intervals, from first to a second, until it says so, fails, or ctx ends.
func poll(ctx context.Context, first time.Duration, done func() (bool, error)) error {
	for wait := first; ; wait = min(2*wait, time.Second) {
		if ok, err := done(); ok || err != nil {
			return err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// signalPatience bounds the wait for a process that is to be signalled and that a busy machine has not started yet.
const signalPatience = 20 * time.Second

// signalExec signals an exec's process by its PID on the host: the engine has no call for it. Before that it makes
// sure that the PID is one of the container, as it is not when the engine runs on another host. One that the engine is
// still about to start is waited for: it would run on with nobody to end it. It says whether the engine answered.
func (r *Runtime) signalExec(ctx context.Context, exec, id string, signal unix.Signal) (answered bool) {
	if signal == 0 {
		return true
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), signalPatience)
	defer cancel()
	var i client.ExecInspectResult
	err := poll(ctx, 10*time.Millisecond, func() (started bool, err error) {
		i, err = r.engine.ExecInspect(ctx, exec, client.ExecInspectOptions{})
		return !i.Running || i.PID != 0, err
	})
	if err == nil && !i.Running {
		return true
	}
	answered = err == nil
	if answered {
		err = signalInContainer(i.PID, id, signal)
	}
	if err != nil {
		r.Logger.Warn("a process that exec started could not be signalled", "exec", exec, "signal", signal, "error", err)
	}
	return answered
}

func signalInContainer(pid int, id string, signal unix.Signal) error {
	groups, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		return err
	}
	if !bytes.Contains(groups, []byte(id)) {
		return fmt.Errorf("process %d is not the container's", pid)
	}
	return unix.Kill(pid, signal)
}

// head is a writer that keeps the first bytes and takes the rest.
type head struct {
	bytes.Buffer
	limit int
}

func (h *head) Write(p []byte) (int, error) {
	if room := h.limit - h.Len(); room > 0 {
		h.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}
