package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"gopkg.in/natefinch/lumberjack.v2"
	auditv1 "k8s.io/apiserver/pkg/apis/audit/v1"

	"leme/server/auth"
)

// Config is what kube-apiserver's flags of the same names say.
type Config struct {
	Path       string // of the log; "-" is standard output
	PolicyFile string // "": the default policy
	MaxSize    int    // megabytes of a file before it is rotated; default 100
	MaxBackups int    // rotated files to keep; 0: all
	MaxAge     int    // days to keep them; 0: for good
	Compress   bool   // rotated files, with gzip
	Buffer     int    // entries that wait to be written before others are lost; default 10,000
}

// bufferBytes bounds the bodies of the entries that wait.
const bufferBytes = 64 << 20

// Log is an audit log. Make it with Open.
type Log struct {
	policy  *auditv1.Policy
	out     io.WriteCloser
	entries chan Entry
	bytes   atomic.Int64 // of bodies in entries
	metrics *metrics
	warn    atomic.Int64 // when a lost entry may next be told of, in Unix seconds
}

// Entry is an event, and the bodies that its level asks for.
type Entry struct {
	auditv1.Event
	Request, Response []byte // JSON, or YAML
	OmitManagedFields bool
}

func (e *Entry) size() int64 { return int64(len(e.Request) + len(e.Response)) }

// Open reads the policy and opens the log, which counts in r, if that is not nil. Run writes, and closes it.
func Open(c Config, r prometheus.Registerer) (*Log, error) {
	policy, err := loadPolicy(c.PolicyFile)
	if err != nil {
		return nil, err
	}
	if c.Buffer <= 0 {
		c.Buffer = 10_000
	}
	out, err := c.open()
	if err != nil {
		return nil, fmt.Errorf("opening the audit log: %w", err)
	}
	return &Log{policy: policy, out: out, entries: make(chan Entry, c.Buffer), metrics: newMetrics(r)}, nil
}

func (c *Config) open() (io.WriteCloser, error) {
	if c.Path == "-" {
		return keptOpen{os.Stdout}, nil
	}
	if err := os.MkdirAll(filepath.Dir(c.Path), 0o700); err != nil {
		return nil, err
	}
	// What cannot be written is better said before the first request than after it.
	f, err := os.OpenFile(c.Path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	return &lumberjack.Logger{Filename: c.Path, MaxSize: c.MaxSize, MaxBackups: c.MaxBackups, MaxAge: c.MaxAge, Compress: c.Compress}, f.Close()
}

// keptOpen is for what is not ours to close.
type keptOpen struct{ io.Writer }

func (keptOpen) Close() error { return nil }

// Rule is what is to be recorded of a request.
func (l *Log) Rule(u auth.User, a auth.Attributes) Rule {
	rule := evaluate(l.policy, u, a)
	l.metrics.levels.WithLabelValues(string(rule.Level)).Inc()
	return rule
}

// Record hands an entry to Run. It does not block; the entry is lost when too many wait.
func (l *Log) Record(e Entry) {
	if l.bytes.Add(e.size()) <= bufferBytes {
		select {
		case l.entries <- e:
			l.metrics.events.Inc()
			return
		default:
		}
	}
	l.bytes.Add(-e.size())
	l.metrics.lost.Inc()
	now := time.Now().Unix()
	if next := l.warn.Load(); now >= next && l.warn.CompareAndSwap(next, now+10) {
		slog.Error("The audit log cannot keep up: events are lost (apiserver_audit_error_total counts them)")
	}
}

// Run writes until ctx ends, and then what is still to be written.
func (l *Log) Run(ctx context.Context) error {
	for {
		select {
		case e := <-l.entries:
			l.write(&e)
		case <-ctx.Done():
			return l.drain()
		}
	}
}

func (l *Log) drain() error {
	for {
		select {
		case e := <-l.entries:
			l.write(&e)
		default:
			if err := l.out.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
				return fmt.Errorf("closing the audit log: %w", err)
			}
			return nil
		}
	}
}

func (l *Log) write(e *Entry) {
	defer l.bytes.Add(-e.size())
	line, err := e.line()
	if err == nil {
		_, err = l.out.Write(line)
	}
	if err != nil {
		l.metrics.failed.Inc()
		slog.Error("An event is not in the audit log", "auditID", e.AuditID, "error", err)
	}
}
