package scheduler

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
)

func TestMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := NewMetrics(registry)
	s := newState([]*profile{standard}, noLabels)
	stop := m.lead(s)
	s.nodeChanged(testNode("here"))
	s.podChanged(testPod("small"))
	s.podChanged(testPod("elsewhere", func(p *corev1.Pod) { p.Spec.NodeSelector = map[string]string{"zone": "none"} }))
	gate := func(p *corev1.Pod) { p.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: "quota"}} }
	s.podChanged(testPod("gated", gate))
	s.podChanged(testPod("no longer", gate))
	s.podDeleted(testPod("no longer", gate))
	for {
		now := time.Now()
		o, ok := s.try(now)
		if !ok {
			break
		}
		m.decided(o, now.Add(time.Second))
		if o.refused == nil {
			m.bound(o, nil, now.Add(2*time.Second))
			m.bound(o, errors.New("lost"), now.Add(2*time.Second))
		}
	}
	for series, want := range map[string]float64{
		"scheduler_pending_pods{active}": 0, "scheduler_pending_pods{backoff}": 0, "scheduler_pending_pods{unschedulable}": 1,
		"scheduler_pending_pods{gated}":                                      1,
		"scheduler_unschedulable_pods{NodeAffinity default-scheduler}":       1,
		"scheduler_cache_size{nodes}":                                        1,
		"scheduler_cache_size{assumed_pods}":                                 1,
		"scheduler_schedule_attempts_total{default-scheduler error}":         1,
		"scheduler_schedule_attempts_total{default-scheduler scheduled}":     1,
		"scheduler_schedule_attempts_total{default-scheduler unschedulable}": 1,
		"scheduler_pod_scheduling_sli_duration_seconds{1}":                   1,
		"scheduler_scheduling_algorithm_duration_seconds{}":                  2,
	} {
		if got, ok := gathered(t, registry)[series]; !ok || got != want {
			t.Errorf("%s is %v, want %v", series, got, want)
		}
	}
	stop()
	if _, ok := gathered(t, registry)["scheduler_pending_pods{active}"]; ok {
		t.Error("who does not lead tells of queues")
	}
}

// gathered are the values of counters and gauges, and the counts of histograms, by name and labels' values.
func gathered(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			value := m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			all[f.GetName()+"{"+strings.Join(labels, " ")+"}"] = value
		}
	}
	return all
}
