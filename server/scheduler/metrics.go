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
	refused *prometheus.Desc
	cached  *prometheus.Desc
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
			"'backoff' means number of pods in backoffQ; 'unschedulable' means number of pods in unschedulablePods that the scheduler attempted to schedule and failed; "+
			"'gated' is the number of unschedulable pods that the scheduler never attempted to schedule because they are gated.",
			[]string{"queue"}, nil),
		refused: prometheus.NewDesc("scheduler_unschedulable_pods", "The number of unschedulable pods broken down by plugin name. A pod will increment the gauge for all plugins "+
			"that caused it to not schedule and so this metric have meaning only when broken down by plugin.", []string{"plugin", "profile"}, nil),
		cached: prometheus.NewDesc("scheduler_cache_size", "Number of nodes, pods, and assumed (bound) pods in the scheduler cache.", []string{"type"}, nil),
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
func (m *Metrics) Describe(out chan<- *prometheus.Desc) {
	out <- m.pending
	out <- m.refused
	out <- m.cached
}

// Collect implements prometheus.Collector: the queues are looked at when somebody asks.
func (m *Metrics) Collect(out chan<- prometheus.Metric) {
	s := m.running.Load()
	if s == nil {
		return
	}
	gauge := func(desc *prometheus.Desc, n int, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc, prometheus.GaugeValue, float64(n), labels...)
	}
	sizes := s.sizes()
	for queue, n := range sizes.queues {
		gauge(m.pending, n, queue)
	}
	for of, n := range sizes.refused {
		gauge(m.refused, n, of.plugin, of.profile)
	}
	for what, n := range sizes.cached {
		gauge(m.cached, n, what)
	}
}

// sizes is how many there are of what a scheduler keeps.
type sizes struct {
	queues  map[string]int
	refused map[pluginOf]int // parked pods
	cached  map[string]int
}

type pluginOf struct{ plugin, profile string }

func (s *state) sizes() sizes {
	s.mu.Lock()
	defer s.mu.Unlock()
	parked, refused := 0, make(map[pluginOf]int)
	for _, all := range s.queue.parked {
		parked += len(all)
		for _, w := range all {
			for _, f := range w.refusedBy {
				refused[pluginOf{f.name, w.info.pod.Spec.SchedulerName}]++
			}
		}
	}
	return sizes{
		queues:  map[string]int{"active": s.queue.ready.Len(), "backoff": s.queue.backing.Len(), "unschedulable": parked, "gated": len(s.gated)},
		refused: refused,
		cached:  map[string]int{"nodes": len(s.cluster.nodes), "pods": len(s.cluster.pods), "assumed_pods": len(s.binding)},
	}
}
