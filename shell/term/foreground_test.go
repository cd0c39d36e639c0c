package term

import (
	"context"
	"os"
	"os/exec"
	"testing"
)

func TestJobExitCode(t *testing.T) {
	for _, c := range []struct {
		name     string
		programs []string
		want     int
	}{
		{"success", []string{"true"}, 0},
		{"the last one's", []string{"exit 3", "exit 4"}, 4},
		{"an earlier one's", []string{"exit 3", "true"}, 3},
		{"a signal", []string{"kill -INT $$"}, 130},
		{"a closed pipe is no failure", []string{"yes", "head -c 1"}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, err := pipeline(t, c.programs).Run(t.Context())
			if err != nil || code != c.want {
				t.Errorf("got %d, %v, want %d", code, err, c.want)
			}
		})
	}
}

func TestJobEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	job := Job{Programs: []*exec.Cmd{exec.Command("sh", "-c", "echo up; exec sleep 1000")}, Ends: []*os.File{w}}
	job.Programs[0].Stdout = w
	go func() {
		_, _ = r.Read(make([]byte, 1))
		cancel()
	}()
	if code, err := job.Run(ctx); err != nil || code != 128+15 {
		t.Errorf("got %d, %v", code, err)
	}
}

func TestJobThatCannotStart(t *testing.T) {
	job := Job{Programs: []*exec.Cmd{exec.Command("sleep", "1000"), exec.Command("/does/not/exist")}}
	if code, err := job.Run(t.Context()); err == nil || code != 126 {
		t.Errorf("got %d, %v", code, err)
	}
}

// pipeline connects shell texts by pipes.
func pipeline(t *testing.T, texts []string) Job {
	var job Job
	for i, text := range texts {
		p := exec.Command("sh", "-c", text)
		if i > 0 {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			job.Programs[i-1].Stdout, p.Stdin = w, r
			job.Ends = append(job.Ends, r, w)
		}
		job.Programs = append(job.Programs, p)
	}
	return job
}
