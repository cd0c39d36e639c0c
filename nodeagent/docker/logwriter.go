package docker

import (
	"errors"
	"io"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// errLogLimit ends the reading of a log of which enough was written.
var errLogLimit = errors.New("log limit reached")

// logWriter writes entries of a log in the form that was asked for.
type logWriter struct {
	outputs    [2]logOutput // standard output, standard error
	timestamps bool
	left       int64 // bytes that may still be written; negative is without limit
	err        error // of the writer
}

type logOutput struct {
	to     io.Writer // nil is not wanted
	inLine bool      // the last entry did not end its line
}

func newLogWriter(o corev1.PodLogOptions, stdout, stderr io.Writer) *logWriter {
	w := &logWriter{timestamps: o.Timestamps, left: -1}
	if o.LimitBytes != nil {
		w.left = *o.LimitBytes
	}
	if wants(o.Stream, corev1.LogStreamStdout) {
		w.outputs[0].to = stdout
	}
	if wants(o.Stream, corev1.LogStreamStderr) {
		w.outputs[1].to = stderr
	}
	return w
}

func wants(choice *string, stream string) bool {
	return choice == nil || *choice == corev1.LogStreamAll || *choice == stream
}

// write writes an entry; pieces of one line get one timestamp.
func (w *logWriter) write(e entry) error {
	out := &w.outputs[0]
	if e.stderr {
		out = &w.outputs[1]
	}
	if out.to == nil {
		return nil
	}
	if w.timestamps && !out.inLine {
		if err := w.emit(out.to, []byte(e.time.Format(time.RFC3339Nano)+" ")); err != nil {
			return err
		}
	}
	out.inLine = len(e.text) == 0 || e.text[len(e.text)-1] != '\n'
	return w.emit(out.to, e.text)
}

func (w *logWriter) emit(to io.Writer, p []byte) error {
	limited := w.left >= 0 && int64(len(p)) >= w.left
	if limited {
		p = p[:w.left]
	}
	if _, err := to.Write(p); err != nil {
		w.err = err
		return err
	}
	if w.left >= 0 {
		w.left -= int64(len(p))
	}
	if limited {
		return errLogLimit
	}
	return nil
}

// end is a writer that keeps the last bytes.
type end struct {
	limit int
	kept  []byte
}

func (e *end) Write(p []byte) (int, error) {
	e.kept = append(e.kept, p...)
	if len(e.kept) > 2*e.limit {
		e.kept = append(e.kept[:0], e.bytes()...)
	}
	return len(p), nil
}

func (e *end) bytes() []byte { return e.kept[max(0, len(e.kept)-e.limit):] }
