package docker_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/nodeagent/docker/dockertest"
)

func TestLogs(t *testing.T) {
	t.Parallel()
	n := dockertest.New(t)
	p := n.Pod("lines", "print", "6", "end")
	c := n.WaitExit(t, n.Run(t, p))
	read := func(o corev1.PodLogOptions) (string, string) {
		t.Helper()
		var stdout, stderr bytes.Buffer
		if err := n.Logs(t.Context(), c.ID, o, &stdout, &stderr); err != nil {
			t.Fatal(err)
		}
		return stdout.String(), stderr.String()
	}
	one, ten, hour, stream := int64(1), int64(10), int64(3600), corev1.LogStreamStderr
	later := metav1.NewTime(c.Finished.Add(time.Second))
	for name, row := range map[string]struct {
		options        corev1.PodLogOptions
		stdout, stderr string
	}{
		"all":          {corev1.PodLogOptions{}, "line 0\nline 2\nline 4\n", "line 1\nline 3\nline 5\n"},
		"followed":     {corev1.PodLogOptions{Follow: true}, "line 0\nline 2\nline 4\n", "line 1\nline 3\nline 5\n"},
		"since":        {corev1.PodLogOptions{SinceTime: &later}, "", ""},
		"sinceSeconds": {corev1.PodLogOptions{SinceSeconds: &hour, Stream: &stream}, "", "line 1\nline 3\nline 5\n"},
		"limit":        {corev1.PodLogOptions{LimitBytes: &ten, Stream: &stream}, "", "line 1\nlin"},
	} {
		if stdout, stderr := read(row.options); stdout != row.stdout || stderr != row.stderr {
			t.Errorf("%s: %q and %q", name, stdout, stderr)
		}
	}
	if stdout, stderr := read(corev1.PodLogOptions{TailLines: &one}); len(stdout+stderr) != len("line 0\n") {
		t.Errorf("tail: %q and %q", stdout, stderr)
	}
	stamped, _ := read(corev1.PodLogOptions{Timestamps: true})
	first, rest, _ := strings.Cut(strings.SplitN(stamped, "\n", 2)[0], " ")
	if _, err := time.Parse(time.RFC3339Nano, first); err != nil || rest != "line 0" {
		t.Errorf("with timestamps: %q", stamped)
	}
	if b, err := n.Tail(t.Context(), c.ID, 5); err != nil || len(b) != 5 {
		t.Errorf("tail: %q, %v", b, err)
	}
}

// A line that the engine cuts into records comes out whole, with and without a terminal, with one timestamp.
func TestLongLines(t *testing.T) {
	t.Parallel()
	n := dockertest.New(t)
	var args []string
	for _, length := range []int{16*1024 - 1, 16 * 1024, 16*1024 + 1, 100_000} {
		args = append(args, fmt.Sprint(length))
	}
	for _, tty := range []bool{false, true} {
		p := n.Pod(fmt.Sprintf("long-%t", tty), append([]string{"lines"}, args...)...)
		p.Spec.Containers[0].TTY = tty
		c := n.WaitExit(t, n.Run(t, p))
		var stdout bytes.Buffer
		if err := n.Logs(t.Context(), c.ID, corev1.PodLogOptions{Timestamps: true}, &stdout, &stdout); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(stdout.String()), "\n")
		if len(lines) != len(args) {
			t.Fatalf("tty %t: %d lines", tty, len(lines))
		}
		for i, line := range lines {
			_, text, _ := strings.Cut(strings.TrimSpace(line), " ")
			if fmt.Sprint(len(text)) != args[i] || strings.Trim(text, "x") != "" {
				t.Errorf("tty %t: a line of %s came as %d bytes", tty, args[i], len(text))
			}
		}
	}
}

func TestFollowEndsWithItsReader(t *testing.T) {
	t.Parallel()
	n := dockertest.New(t)
	id := n.Run(t, n.Pod("following", "print", "2"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	output := &dockertest.Screen{}
	ended := make(chan error, 1)
	go func() { ended <- n.Logs(ctx, id, corev1.PodLogOptions{Follow: true}, output, output) }()
	dockertest.Eventually(t, func() bool { return strings.Count(output.String(), "line") == 2 })
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}

	go func() { ended <- n.Logs(t.Context(), id, corev1.PodLogOptions{Follow: true}, failing{}, failing{}) }()
	if err := <-ended; !errors.Is(err, errReaderGone) {
		t.Errorf("got %v", err)
	}
}

var errReaderGone = errors.New("reader gone")

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errReaderGone }
