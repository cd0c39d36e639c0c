package pod

import "time"

// Kubernetes' back-off for containers that end again and again, and for images that cannot be pulled.
const (
	backOffInitial = 10 * time.Second
	backOffMax     = 5 * time.Minute
	backOffReset   = 10 * time.Minute // a container that ran so long starts afresh
)

// BackOff is what is remembered of a container's restarts. The first restart is at once.
type BackOff struct {
	Delay time.Duration // before the next restart
}

// Until is when a container that ended at some time may start again.
func (b BackOff) Until(last Container, end time.Time) time.Time {
	if ranLong(last) {
		return end
	}
	return end.Add(b.Delay)
}

// Next is what to remember once the container is started again.
func (b BackOff) Next(last Container) BackOff {
	if ranLong(last) {
		return BackOff{backOffInitial}
	}
	return BackOff{double(b.Delay, backOffInitial, backOffMax)}
}

func ranLong(c Container) bool {
	return !c.Started.IsZero() && c.Finished.Sub(c.Started) >= backOffReset
}

// double grows a delay from first to at most limit.
func double(d, first, limit time.Duration) time.Duration {
	if d == 0 {
		return first
	}
	return min(2*d, limit)
}

// Failure is an operation that failed and is to be tried again.
type Failure struct {
	Reason, Message string
	Image           string // see Waiting
	At              time.Time
	Delay           time.Duration // how long to wait before the next try
}

func (f Failure) retry() time.Time { return f.At.Add(f.Delay) }
