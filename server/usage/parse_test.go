package usage

import (
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

const said = `# HELP container_cpu_usage_seconds_total Cumulative cpu time consumed by the container in core-seconds
# TYPE container_cpu_usage_seconds_total counter
container_cpu_usage_seconds_total{container="app",namespace="default",pod="web"} 1.5 1700000000123
container_cpu_usage_seconds_total{container="side",namespace="default",pod="web"} 0.25 1700000000123
container_cpu_usage_seconds_total{container="app",namespace="default",pod="half"} 3 1700000000123
# TYPE container_memory_working_set_bytes gauge
container_memory_working_set_bytes{container="app",namespace="default",pod="web"} 1.048576e+06 1700000000123
container_memory_working_set_bytes{container="side",namespace="default",pod="web"} 4096 1700000000123
# TYPE container_start_time_seconds gauge
container_start_time_seconds{container="app",namespace="default",pod="web"} 1.69999999e+09
container_start_time_seconds{container="side",namespace="default",pod="web"} 1.69999999e+09
container_start_time_seconds{container="app",namespace="default",pod="half"} 1.69999999e+09
# TYPE node_cpu_usage_seconds_total counter
node_cpu_usage_seconds_total 100.5 1700000000123
# TYPE node_memory_working_set_bytes gauge
node_memory_working_set_bytes 2e+09 1700000000123
# TYPE pod_cpu_usage_seconds_total counter
pod_cpu_usage_seconds_total{namespace="default",pod="web"} 1.75 1700000000123
`

func TestParse(t *testing.T) {
	r, err := parse(strings.NewReader(said), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	at := int64(1700000000123) * int64(time.Millisecond)
	if want := (point{at: at, cpu: 100_500_000_000, memory: 2e9}); r.node != want {
		t.Errorf("the node is %+v", r.node)
	}
	web := r.pods[types.NamespacedName{Namespace: "default", Name: "web"}]
	if want := (point{at: at, started: 1_699_999_990 * second, cpu: 1_500_000_000, memory: 1 << 20}); web["app"] != want || len(web) != 2 {
		t.Errorf("the pod is %+v", web)
	}
	if len(r.pods) != 1 {
		t.Errorf("there are %d pods: one of which something is missing must not be told of", len(r.pods))
	}
}

func FuzzParse(f *testing.F) {
	f.Add(said)
	f.Add("node_cpu_usage_seconds_total NaN")
	f.Add(`container_cpu_usage_seconds_total{container="a"} -1e308 9223372036854775807`)
	f.Fuzz(func(t *testing.T, text string) {
		r, err := parse(strings.NewReader(text), time.Unix(1, 0))
		if err != nil {
			return
		}
		m := (*nodeMemory)(nil).next(r, time.Unix(1, 0), time.Second).next(r, time.Unix(2, 0), time.Second)
		for _, pod := range m.pods {
			for _, c := range pod {
				if !c.known() {
					continue
				}
				if used := c.usage(); used.Cpu().Sign() < 0 || used.Memory().Sign() < 0 {
					t.Errorf("%+v uses less than nothing", c)
				}
			}
		}
	})
}
