package probe

import (
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// counted are the probes of a pod by their result.
func counted(t *testing.T, pod string) map[string]float64 {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(Metrics()...)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if labels["pod"] == pod {
				found[f.GetName()+" "+labels["result"]] = m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return found
}

func TestProbesAreCounted(t *testing.T) {
	p := &Prober{Kind: Liveness, Subject: Subject{Namespace: "default", Pod: "counted", Container: "app", UID: "1"}}
	other := &Prober{Kind: Readiness, Subject: p.Subject}
	p.count(true, nil, time.Millisecond)
	p.count(true, nil, time.Millisecond)
	p.count(false, nil, time.Millisecond)
	p.count(false, errors.New("no answer"), time.Millisecond)
	want := map[string]float64{
		"prober_probe_total successful": 2, "prober_probe_total failed": 1, "prober_probe_total unknown": 1, "prober_probe_duration_seconds ": 4,
	}
	if got := counted(t, "counted"); !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	other.count(true, nil, time.Millisecond)
	p.forget()
	want = map[string]float64{"prober_probe_total successful": 1, "prober_probe_duration_seconds ": 1}
	if got := counted(t, "counted"); !maps.Equal(got, want) {
		t.Errorf("of what is probed no more there is left %v, want %v", got, want)
	}
	other.forget()
}
