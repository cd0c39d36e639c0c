package docker

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/moby/moby/client"
)

// execRefusal is how the engine begins to say, where the command's output belongs, that it could not start it.
const execRefusal = "OCI runtime exec failed: "

// maxRefusal bounds the engine's words, in bytes.
const maxRefusal = 4096

// refusal is a writer that holds back what may be the engine's own words until it is known whose they are.
type refusal struct {
	to      io.Writer
	held    []byte
	passing bool
}

func (r *refusal) Write(p []byte) (int, error) {
	if r.passing {
		return r.to.Write(p)
	}
	r.held = append(r.held, p...)
	n := min(len(r.held), len(execRefusal))
	if bytes.Equal(r.held[:n], []byte(execRefusal[:n])) && len(r.held) < maxRefusal {
		return len(p), nil
	}
	return len(p), r.pass()
}

// pass lets go of what is held: it was the command's.
func (r *refusal) pass() error {
	r.passing = true
	_, err := r.to.Write(r.held)
	r.held = nil
	return err
}

// check tells the two apart once the exec has ended. One that could not be started is an error, in the words that
// containerd has for it.
func (r *refusal) check(exec string, ended client.ExecInspectResult) error {
	if ended.PID == 0 && (ended.ExitCode == 126 || ended.ExitCode == 127) {
		why := strings.TrimSpace(string(r.held))
		if why == "" {
			why = fmt.Sprintf("the engine could not start it (exit code %d)", ended.ExitCode)
		}
		return fmt.Errorf("failed to exec in container: failed to start exec %q: %s", exec, why)
	}
	return r.pass()
}
