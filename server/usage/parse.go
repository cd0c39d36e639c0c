package usage

import (
	"fmt"
	"io"
	"math"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"k8s.io/apimachinery/pkg/types"
)

// The families of an agent's /metrics/resource that are read.
const (
	cpuOfNode         = "node_cpu_usage_seconds_total"
	memoryOfNode      = "node_memory_working_set_bytes"
	cpuOfContainer    = "container_cpu_usage_seconds_total"
	memoryOfContainer = "container_memory_working_set_bytes"
	startOfContainer  = "container_start_time_seconds"
)

// report is what a node's agent says of one moment.
type report struct {
	node point
	pods map[types.NamespacedName]map[string]point // by the containers' names
}

// parse reads the text that an agent answers with. A container of which not everything is told is left out, and so is
// a pod with such a container: half a pod would look like an idle one.
func parse(text io.Reader, now time.Time) (report, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(text)
	if err != nil {
		return report{}, fmt.Errorf("reading what the agent says: %w", err)
	}
	r := report{pods: map[types.NamespacedName]map[string]point{}}
	for name, family := range families {
		for _, m := range family.GetMetric() {
			r.add(name, m, now)
		}
	}
	for pod, containers := range r.pods {
		for _, p := range containers {
			if p.at == 0 || p.memory == 0 {
				delete(r.pods, pod)
				break
			}
		}
	}
	if r.node.memory == 0 {
		r.node = point{}
	}
	return r, nil
}

func (r *report) add(family string, m *dto.Metric, now time.Time) {
	switch family {
	case cpuOfNode:
		r.node.at, r.node.cpu = timeOf(m, now), nanoseconds(valueOf(m))
	case memoryOfNode:
		r.node.memory = uint64(valueOf(m))
	case cpuOfContainer, memoryOfContainer, startOfContainer:
		pod, container := nameOf(m)
		if r.pods[pod] == nil {
			r.pods[pod] = map[string]point{}
		}
		p := r.pods[pod][container]
		switch family {
		case cpuOfContainer:
			p.at, p.cpu = timeOf(m, now), nanoseconds(valueOf(m))
		case memoryOfContainer:
			p.memory = uint64(valueOf(m))
		case startOfContainer:
			p.started = int64(nanoseconds(valueOf(m)))
		}
		r.pods[pod][container] = p
	}
}

func nameOf(m *dto.Metric) (pod types.NamespacedName, container string) {
	for _, l := range m.GetLabel() {
		switch l.GetName() {
		case "namespace":
			pod.Namespace = l.GetValue()
		case "pod":
			pod.Name = l.GetValue()
		case "container":
			container = l.GetValue()
		}
	}
	return pod, container
}

// valueOf is a number that can be a measure: neither negative nor none at all.
func valueOf(m *dto.Metric) float64 {
	v := m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetUntyped().GetValue()
	if math.IsNaN(v) || v < 0 || v > math.MaxInt64/float64(time.Second) && m.GetCounter() != nil || v > math.MaxInt64 {
		return 0
	}
	return v
}

// timeOf is when a value was measured: as the agent says, or now.
func timeOf(m *dto.Metric, now time.Time) int64 {
	if ms := m.GetTimestampMs(); ms > 0 && ms < math.MaxInt64/int64(time.Millisecond) {
		return ms * int64(time.Millisecond)
	}
	return now.UnixNano()
}

func nanoseconds(seconds float64) uint64 { return uint64(seconds * float64(time.Second)) }
