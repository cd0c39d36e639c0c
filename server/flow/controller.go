package flow

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"leme/server/auth"
)

// MaxSeats is the most that one request counts for.
const MaxSeats = 10

// Config says how much is served at once.
type Config struct {
	Seats    int                   // default 600
	Patience time.Duration         // how long a request waits at most; default 15 s
	Metrics  prometheus.Registerer // nil: none
}

// Controller lets requests in. Make it with New.
type Controller struct {
	patience time.Duration
	seats    int
	metrics  *metrics

	mu     sync.Mutex
	shares []*share // in the order of levels
	held   int      // seats taken, and those kept for levels that do not take them
	byName map[string]*share
}

// Request is what decides when it is served.
type Request struct {
	User auth.User
	auth.Attributes
	Seats int // how many usual requests it is worth, 1 to MaxSeats
}

// New makes a controller of Kubernetes' suggested levels.
func New(c Config) (*Controller, error) {
	if c.Seats == 0 {
		c.Seats = 600
	}
	if c.Patience == 0 {
		c.Patience = 15 * time.Second
	}
	shares, err := newShares(levels, c.Seats)
	if err != nil {
		return nil, err
	}
	f := &Controller{patience: c.Patience, seats: c.Seats, byName: shares}
	for _, l := range levels {
		f.shares = append(f.shares, shares[l.name])
		f.held += shares[l.name].kept
	}
	f.metrics = newMetrics(f, c.Metrics)
	return f, nil
}

// Reasons of a Rejection, as metrics name them.
const (
	QueueFull  = "queue-full"
	AtLimit    = "concurrency-limit" // of a level that has no queue
	TimedOut   = "time-out"
	ClientGone = "cancelled"
)

// Rejection is the error of a request that is not served.
type Rejection struct{ Reason string }

func (r *Rejection) Error() string { return "flow: the request was not let in: " + r.Reason }

// Enter waits until a request may be served. done must be called when it has been; calling it again does nothing. The
// error is a *Rejection.
func (f *Controller) Enter(ctx context.Context, r Request) (done func(), err error) {
	schema := &schemas[slices.IndexFunc(schemas, func(s schema) bool { return s.matches(&r) })]
	of := f.metrics.of(schema)
	arrived := time.Now()
	leave, err := f.seat(ctx, schema, &r)
	if err != nil {
		var rejection *Rejection
		if errors.As(err, &rejection) {
			of.rejected(rejection.Reason, time.Since(arrived))
		}
		return nil, err
	}
	began := time.Now()
	of.dispatched(began.Sub(arrived))
	return sync.OnceFunc(func() {
		took := time.Since(began)
		leave(took)
		of.executed(took)
	}), nil
}

// seat gives a request its seats; what it returns gives them back.
func (f *Controller) seat(ctx context.Context, schema *schema, r *Request) (leave func(took time.Duration), err error) {
	s := f.byName[schema.level]
	key := flowKey{schema: schema.name}
	if schema.flow != nil {
		key.name = schema.flow(r)
	}
	f.mu.Lock()
	l := s.line(key)
	seats := max(1, r.Seats)
	if s.exempt() {
		l.serving++
		s.used += seats
		f.mu.Unlock()
		return func(time.Duration) { f.leaveExempt(s, l, seats) }, nil
	}
	seats = min(seats, s.most)
	leave = func(took time.Duration) { f.leave(s, l, seats, took) }
	if f.waiting() == 0 && f.fits(s, seats) {
		s.begin(l, seats)
		f.take(s, seats)
		f.mu.Unlock()
		return leave, nil
	}
	w := &waiter{seats: seats, admitted: make(chan struct{})}
	room := s.room(l)
	s.add(l, w)
	f.dispatch()
	if w.place != nil && !room {
		s.remove(l, w)
		f.mu.Unlock()
		return nil, &Rejection{Reason: s.full()}
	}
	f.mu.Unlock()
	return leave, f.await(ctx, s, l, w)
}

// await returns when the request is served, or an error when it will not be.
func (f *Controller) await(ctx context.Context, s *share, l *line, w *waiter) error {
	select {
	case <-w.admitted: // mostly at once
		return nil
	default:
	}
	patience := time.NewTimer(f.patience)
	defer patience.Stop()
	var reason string
	select {
	case <-w.admitted:
		return nil
	case <-ctx.Done():
		reason = ClientGone
	case <-patience.C:
		reason = TimedOut
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if w.place == nil { // just now
		return nil
	}
	s.remove(l, w)
	f.dispatch() // it may have been what the others waited behind
	return &Rejection{Reason: reason}
}

func (f *Controller) leave(s *share, l *line, seats int, took time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.take(s, -seats)
	s.end(l, seats, took)
	f.dispatch()
}

func (f *Controller) leaveExempt(s *share, l *line, seats int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l.serving--
	s.used -= seats
	s.forget(l)
}
