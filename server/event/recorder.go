package event

import (
	"context"
	"fmt"
	"hash/maphash"
	"log/slog"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/tools/reference"
	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/utils/clock"

	"golang.org/x/sync/errgroup"
)

const (
	writers        = 4     // events are written side by side, those about one object in order
	queued         = 4096  // events that wait for one writer; more are dropped
	writesASecond  = 500   // of all writers together, in the long run
	burstOfWrites  = 2_000 // a Deployment of many pods starts with all its events
	longestMessage = 1_024 // bytes of a message, the API's limit
)

// Sink is where events are kept.
type Sink interface {
	Create(ctx context.Context, e *corev1.Event) (*corev1.Event, error)
	Update(ctx context.Context, namespace, name string, mutate func(*corev1.Event) error) (*corev1.Event, error)
}

// Recorder takes events and writes them in the background.
type Recorder struct {
	sink     Sink
	instance string
	queues   [writers]chan *corev1.Event
	seed     maphash.Seed
	limit    flowcontrol.RateLimiter
}

// NewRecorder returns a recorder; nothing is written until Run. The instance names this server.
func NewRecorder(sink Sink, instance string) *Recorder {
	r := &Recorder{
		sink:     sink,
		instance: instance,
		seed:     maphash.MakeSeed(),
		limit:    flowcontrol.NewTokenBucketRateLimiter(writesASecond, burstOfWrites),
	}
	for i := range r.queues {
		r.queues[i] = make(chan *corev1.Event, queued)
	}
	return r
}

// Run writes what is recorded until ctx ends.
func (r *Recorder) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, queue := range r.queues {
		g.Go(func() error {
			r.write(ctx, queue)
			return nil
		})
	}
	return g.Wait()
}

// write counts repetitions with what it remembers itself: an object's events always come to the same writer.
func (r *Recorder) write(ctx context.Context, queue <-chan *corev1.Event) {
	correlator := record.NewEventCorrelator(clock.RealClock{})
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-queue:
			if err := r.store(ctx, correlator, e); err != nil && ctx.Err() == nil {
				slog.Debug("event not written", "about", e.InvolvedObject.Name, "reason", e.Reason, "err", err)
			}
		}
	}
}

// store writes one event, as a count on an earlier one where it repeats that.
func (r *Recorder) store(ctx context.Context, correlator *record.EventCorrelator, e *corev1.Event) error {
	found, err := correlator.EventCorrelate(e)
	if err != nil || found.Skip {
		return err
	}
	if err := r.limit.Wait(ctx); err != nil {
		return err
	}
	written, err := r.put(ctx, found.Event)
	if err == nil {
		correlator.UpdateState(written)
	}
	return err
}

func (r *Recorder) put(ctx context.Context, e *corev1.Event) (*corev1.Event, error) {
	if e.Count > 1 {
		written, err := r.sink.Update(ctx, e.Namespace, e.Name, func(old *corev1.Event) error {
			old.Count, old.LastTimestamp, old.Message = e.Count, e.LastTimestamp, e.Message
			return nil
		})
		if !apierrors.IsNotFound(err) {
			return written, err
		}
	}
	e.ResourceVersion = ""
	return r.sink.Create(ctx, e)
}

// From returns what a component of the server records with.
func (r *Recorder) From(component string) *Source {
	return &Source{recorder: r, source: corev1.EventSource{Component: component, Host: r.instance}}
}

// Source records the events of one component. A nil Source records nothing.
type Source struct {
	recorder *Recorder
	source   corev1.EventSource
}

// Normal records that something went as it should.
func (s *Source) Normal(about runtime.Object, reason, format string, args ...any) {
	s.record(about, corev1.EventTypeNormal, reason, fmt.Sprintf(format, args...))
}

// Warning records what somebody may want to do something about.
func (s *Source) Warning(about runtime.Object, reason, format string, args ...any) {
	s.record(about, corev1.EventTypeWarning, reason, fmt.Sprintf(format, args...))
}

func (s *Source) record(about runtime.Object, kind, reason, message string) {
	if s == nil {
		return
	}
	ref, err := reference.GetReference(scheme.Scheme, about)
	if err != nil {
		slog.Error("event about an object that has no reference", "reason", reason, "err", err)
		return
	}
	queue := s.recorder.queues[maphash.String(s.recorder.seed, string(ref.UID))%writers]
	select {
	case queue <- s.event(ref, kind, reason, message, time.Now()):
	default: // the store is slower than what is said: what cannot be kept is not worth waiting for
	}
}

func (s *Source) event(about *corev1.ObjectReference, kind, reason, message string, now time.Time) *corev1.Event {
	namespace := about.Namespace
	if namespace == "" {
		namespace = metav1.NamespaceDefault
	}
	at := metav1.NewTime(now)
	return &corev1.Event{
		ObjectMeta:          metav1.ObjectMeta{Namespace: namespace, Name: fmt.Sprintf("%s.%x", about.Name, now.UnixNano())},
		InvolvedObject:      *about,
		Type:                kind,
		Reason:              reason,
		Message:             cut(message),
		Source:              s.source,
		ReportingController: s.source.Component,
		ReportingInstance:   s.source.Host,
		FirstTimestamp:      at,
		LastTimestamp:       at,
		Count:               1,
	}
}

// cut shortens a message to what the API admits, between two characters.
func cut(message string) string {
	return strings.ToValidUTF8(message[:min(len(message), longestMessage)], "")
}
