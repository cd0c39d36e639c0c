package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"
	corev1 "k8s.io/api/core/v1"
)

// Logs writes a container's log as the kubelet does: o's follow, tailLines, sinceSeconds, sinceTime, timestamps,
// limitBytes and stream count. Following ends when the container has, or ctx does. When the engine goes away
// meanwhile, following goes on where it was once the engine is back, with no line lost and none twice.
func (r *Runtime) Logs(ctx context.Context, id string, o corev1.PodLogOptions, stdout, stderr io.Writer) error {
	i, err := r.engine.ContainerInspect(ctx, id, client.ContainerInspectOptions{})
	if err != nil {
		return fmt.Errorf("reading log: %w", err)
	}
	read := &logRead{
		runtime: r,
		id:      id,
		tty:     i.Container.Config.Tty,
		follow:  o.Follow,
		out:     newLogWriter(o, stdout, stderr),
		since:   since(o, time.Now()),
	}
	if o.TailLines != nil {
		read.tail = strconv.FormatInt(*o.TailLines, 10)
	}
	return read.run(ctx)
}

// tailLines is how many lines Tail looks at, the kubelet's figure for termination messages.
const tailLines = 80

// Tail gives at most limit bytes of the last lines of a container's log, both streams together.
func (r *Runtime) Tail(ctx context.Context, id string, limit int64) ([]byte, error) {
	lines, end := int64(tailLines), &end{limit: int(limit)}
	err := r.Logs(ctx, id, corev1.PodLogOptions{TailLines: &lines}, end, end)
	return end.bytes(), err
}

// since is the time from which on the options want the log; zero wants all of it.
func since(o corev1.PodLogOptions, now time.Time) time.Time {
	switch {
	case o.SinceSeconds != nil:
		return now.Add(-time.Duration(*o.SinceSeconds) * time.Second)
	case o.SinceTime != nil:
		return o.SinceTime.Time
	}
	return time.Time{}
}

// logRead is the reading of one log, over as many requests as it takes.
type logRead struct {
	runtime     *Runtime
	id          string
	tty, follow bool
	tail        string // of the first request only
	out         *logWriter

	since time.Time // entries before it are not asked for
	seen  int       // entries with exactly this time that were written already

	stdout, stderr echoes
}

func (l *logRead) run(ctx context.Context) error {
	for {
		err := l.request(ctx)
		switch {
		case errors.Is(err, errLogLimit):
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case l.out.err != nil: // whoever reads us went away
			return l.out.err
		case !l.follow:
			return err
		}
		running, err := l.awaitEngine(ctx)
		if errdefs.IsNotFound(err) {
			return nil // removed, and its log with it
		}
		if err != nil {
			return err
		}
		l.follow = running // an ended container's log is read once more, to its end
		l.tail = ""
	}
}

// awaitEngine waits until the engine answers, and says whether the container runs.
func (l *logRead) awaitEngine(ctx context.Context) (running bool, err error) {
	err = poll(ctx, 50*time.Millisecond, func() (bool, error) {
		i, err := l.runtime.engine.ContainerInspect(ctx, l.id, client.ContainerInspectOptions{})
		if err != nil {
			if errdefs.IsNotFound(err) {
				return false, err
			}
			return false, nil
		}
		running = i.Container.State.Running
		return true, nil
	})
	return running, err
}

// request reads one answer of the engine to its end.
func (l *logRead) request(ctx context.Context) error {
	o := client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Timestamps: true, Follow: l.follow, Tail: l.tail}
	if !l.since.IsZero() {
		o.Since = l.since.UTC().Format(time.RFC3339Nano)
	}
	body, err := l.runtime.engine.ContainerLogs(ctx, l.id, o)
	if err != nil {
		return fmt.Errorf("reading log: %w", err)
	}
	defer body.Close()
	skip := l.seen
	entries := newEntryReader(body, l.tty)
	for {
		e, err := entries.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading log: %w", err)
		}
		if skip > 0 && e.time.Equal(l.since) {
			skip--
			continue
		}
		if l.follow && l.echoes(e).again(e) {
			continue
		}
		l.remember(e.time)
		if err := l.out.write(e); err != nil {
			return err
		}
	}
}

func (l *logRead) echoes(e entry) *echoes {
	if e.stderr {
		return &l.stderr
	}
	return &l.stdout
}

// remember notes how far the log is written, for a request that goes on from here. A record without a time counts to
// the one before.
func (l *logRead) remember(t time.Time) {
	switch {
	case t.After(l.since):
		l.since, l.seen = t, 1
	case t.Equal(l.since):
		l.seen++
	}
}
