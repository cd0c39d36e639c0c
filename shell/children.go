package shell

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"leme/shell/line"
	"leme/shell/term"
)

// children runs a plan as processes of their own, connected by pipes.
func (s *session) children(ctx context.Context, p plan) int {
	job := term.Job{Terminal: s.terminal}
	for _, st := range p.stages {
		job.Programs = append(job.Programs, s.child(st))
	}
	err := s.connect(&job, p.stages)
	if err != nil {
		for _, f := range job.Ends {
			_ = f.Close()
		}
		return s.fail(err)
	}
	code, err := job.Run(ctx)
	if err != nil {
		return s.fail(err)
	}
	return code
}

func (s *session) child(st stage) *exec.Cmd {
	c := exec.Command(s.program, st.words...)
	if st.system != "" {
		c = exec.Command("/bin/sh", "-c", st.system)
	}
	scope, _ := s.Scope()
	c.Env = scope.Environ()
	return c
}

// connect gives the programs their streams: the session's at the ends, pipes between, redirections before both.
func (s *session) connect(job *term.Job, stages []stage) error {
	for i, c := range job.Programs {
		if c.Stdin == nil {
			c.Stdin = s.streams.In
		}
		c.Stdout, c.Stderr = s.streams.Out, s.streams.ErrOut
		if i+1 < len(job.Programs) {
			r, w, err := os.Pipe()
			if err != nil {
				return fmt.Errorf("making a pipe: %w", err)
			}
			job.Ends = append(job.Ends, r, w)
			c.Stdout, job.Programs[i+1].Stdin = w, r
		}
		for _, r := range stages[i].redirects {
			if err := redirectChild(job, c, r); err != nil {
				return err
			}
		}
	}
	return nil
}

func redirectChild(job *term.Job, c *exec.Cmd, r line.Redirect) error {
	switch {
	case r.Merge:
		c.Stderr = c.Stdout
		return nil
	case r.Stream == 0 && r.Path == "":
		c.Stdin = strings.NewReader(r.Text)
		return nil
	}
	f, err := openRedirect(r)
	if err != nil {
		return err
	}
	job.Ends = append(job.Ends, f)
	switch r.Stream {
	case 0:
		c.Stdin = f
	case 1:
		c.Stdout = f
	case 2:
		c.Stderr = f
	}
	return nil
}
