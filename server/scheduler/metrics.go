package scheduler

import (
	"strconv"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics count what schedulers do, by kube-scheduler's names. They outlive the time for which a scheduler leads. A nil
// *Metrics counts nowhere.
type Metrics struct {
	attempts  *prometheus.CounterVec
	attempt   *prometheus.HistogramVec
	algorithm prometheus.Histogram
	tries     prometheus.Histogram
	sli       *prometheus.HistogramVec
	victims   prometheus.Histogram
	preempts  prometheus.Counter

	pending *prometheus.Desc
	running atomic.Pointer[state] // nil: this server does not lead
}

// The results of an attempt.
const (
	scheduled     = "scheduled"
	unschedulable = "unschedulable"
	failed        = "error"
)

// NewMetrics makes metrics and registers them.
func NewMetrics(r prometheus.Registerer) *Metrics {
	short, long := prometheus.ExponentialBuckets(0.001, 2, 15), prometheus.ExponentialBuckets(0.01, 2, 20)
	m := &Metrics{
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "scheduler_schedule_attempts_total",
			Help: "Number of attempts to schedule pods, by the result. 'unschedulable' means a pod could not be scheduled, while 'error' means an internal scheduler problem.",
		}, []string{"profile", "result"}),
		attempt: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "scheduler_scheduling_attempt_duration_seconds", Help: "Scheduling attempt latency in seconds (scheduling algorithm + binding)", Buckets: short,
		}, []string{"profile", "result"}),
		algorithm: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "scheduler_scheduling_algorithm_duration_seconds", Help: "Scheduling algorithm latency in seconds", Buckets: short,
		}),
		tries: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "scheduler_pod_scheduling_attempts", Help: "Number of attempts to successfully schedule a pod.", Buckets: prometheus.ExponentialBuckets(1, 2, 5),
		}),
		sli: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "scheduler_pod_scheduling_sli_duration_seconds",
			Help: "E2e latency for a pod being scheduled, from the time the pod enters the scheduling queue and might involve multiple scheduling attempts.", Buckets: long,
		}, []string{"attempts"}),
		victims: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "scheduler_preemption_victims", Help: "Number of selected preemption victims", Buckets: prometheus.ExponentialBuckets(1, 2, 7),
		}),
		preempts: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "scheduler_preemption_attempts_total", Help: "Total preemption attempts in the cluster till now",
		}),
		pending: prometheus.NewDesc("scheduler_pending_pods", "Number of pending pods, by the queue type. 'active' means number of pods in activeQ; "+
			"'backoff' means number of pods in backoffQ; 'unschedulable' means number of pods in unschedulablePods that the scheduler attempted to schedule and failed.",
			[]string{"queue"}, nil),
	}
	r.MustRegister(m.attempts, m.attempt, m.algorithm, m.tries, m.sli, m.victims, m.preempts, m)
	return m
}

// lead makes a scheduler's queues visible, until the returned function is called.
func (m *Metrics) lead(s *state) (stop func()) {
	if m == nil {
		return func() {}
	}
	m.running.Store(s)
	return func() { m.running.CompareAndSwap(s, nil) }
}

// decided counts a decision, and the end of an attempt that it refuses.
func (m *Metrics) decided(o outcome, now time.Time) {
	if m == nil {
		return
	}
	m.algorithm.Observe(now.Sub(o.tried).Seconds())
	if o.refused == nil {
		return
	}
	m.end(o, unschedulable, now)
	if len(o.victims) > 0 {
		m.preempts.Inc()
		m.victims.Observe(float64(len(o.victims)))
	}
}

// mostAttempts is from where on the label for the number of attempts says no more.
const mostAttempts = 15

// bound counts the end of an attempt that was to be written.
func (m *Metrics) bound(o outcome, err error, now time.Time) {
	switch {
	case m == nil:
		return
	case err != nil:
		m.end(o, failed, now)
		return
	}
	m.end(o, scheduled, now)
	m.tries.Observe(float64(o.attempts))
	label := strconv.Itoa(o.attempts)
	if o.attempts >= mostAttempts {
		label = strconv.Itoa(mostAttempts) + "+"
	}
	m.sli.WithLabelValues(label).Observe(now.Sub(o.queued).Seconds())
}

func (m *Metrics) end(o outcome, result string, now time.Time) {
	m.attempts.WithLabelValues(o.pod.Spec.SchedulerName, result).Inc()
	m.attempt.WithLabelValues(o.pod.Spec.SchedulerName, result).Observe(now.Sub(o.tried).Seconds())
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(out chan<- *prometheus.Desc) { out <- m.pending }

// Collect implements prometheus.Collector: the queues are looked at when somebody asks.
func (m *Metrics) Collect(out chan<- prometheus.Metric) {
	s := m.running.Load()
	if s == nil {
		return
	}
	ready, backing, parked := s.waiting()
	for queue, n := range map[string]int{"active": ready, "backoff": backing, "unschedulable": parked} {
		out <- prometheus.MustNewConstMetric(m.pending, prometheus.GaugeValue, float64(n), queue)
	}
}

// waiting counts the pods in the queues.
func (s *state) waiting() (ready, backing, parked int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, all := range s.queue.parked {
		parked += len(all)
	}
	return s.queue.ready.Len(), s.queue.backing.Len(), parked
}
