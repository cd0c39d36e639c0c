package nodeagent

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"leme/nodeagent/eviction"
	"leme/nodeagent/imagegc"
)

func amounts(list ...string) corev1.ResourceList {
	l := corev1.ResourceList{}
	for i := 0; i < len(list); i += 2 {
		l[corev1.ResourceName(list[i])] = resource.MustParse(list[i+1])
	}
	return l
}

// told is a list as text, in the order of names.
func told(l corev1.ResourceList) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(l)) {
		q := l[name]
		parts = append(parts, string(name)+"="+q.String())
	}
	return strings.Join(parts, " ")
}

func TestAllocatable(t *testing.T) {
	thresholds, err := eviction.Parse(map[string]string{"memory.available": "100Mi", "nodefs.available": "10%", "imagefs.available": "15%"},
		map[string]string{"memory.available": "1Gi"}, map[string]string{"memory.available": "1m"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := machine{cpus: 4, memory: 8 << 30, storage: 100 << 30, hugePages: map[int64]int64{2 << 20: 512 << 20, 1 << 30: 0}}
	for _, c := range []struct {
		name               string
		limits             Limits
		capacity, have, no string
	}{
		{"all of it", Limits{MaxPods: 110}, "cpu=4 ephemeral-storage=100Gi hugepages-1Gi=0 hugepages-2Mi=512Mi memory=8Gi pods=110",
			"cpu=4 ephemeral-storage=100Gi hugepages-1Gi=0 hugepages-2Mi=0 memory=7680Mi pods=110", ""},
		{"less the hard thresholds", Limits{MaxPods: 110, Eviction: thresholds}, "",
			"cpu=4 ephemeral-storage=90Gi hugepages-1Gi=0 hugepages-2Mi=0 memory=7580Mi pods=110", ""},
		{"less what is reserved", Limits{MaxPods: 110, KubeReserved: amounts("cpu", "200m", "memory", "512Mi"), SystemReserved: amounts("cpu", "300m", "ephemeral-storage", "1Gi")}, "",
			"cpu=3500m ephemeral-storage=99Gi hugepages-1Gi=0 hugepages-2Mi=0 memory=7Gi pods=110", ""},
		{"pods by processors", Limits{MaxPods: 110, PodsPerCore: 10}, "cpu=4 ephemeral-storage=100Gi hugepages-1Gi=0 hugepages-2Mi=512Mi memory=8Gi pods=40", "", ""},
		{"pods by processors, too many", Limits{MaxPods: 30, PodsPerCore: 10}, "cpu=4 ephemeral-storage=100Gi hugepages-1Gi=0 hugepages-2Mi=512Mi memory=8Gi pods=30", "", ""},
		{"more than there is", Limits{MaxPods: 110, KubeReserved: amounts("cpu", "5")}, "", "cpu=0 ephemeral-storage=100Gi hugepages-1Gi=0 hugepages-2Mi=0 memory=7680Mi pods=110",
			`invalid Node Allocatable configuration. Resource "cpu" has a reservation of 5 but capacity of 4. Expected capacity >= reservation.`},
	} {
		t.Run(c.name, func(t *testing.T) {
			m.limits = c.limits
			if got := told(m.capacity()); c.capacity != "" && got != c.capacity {
				t.Errorf("capacity %s\nwant     %s", got, c.capacity)
			}
			if got := told(m.allocatable()); c.have != "" && got != c.have {
				t.Errorf("allocatable %s\nwant        %s", got, c.have)
			}
			got := ""
			if err := c.limits.fits(m.capacity()); err != nil {
				got = err.Error()
			}
			if got != c.no {
				t.Errorf("error %q, want %q", got, c.no)
			}
		})
	}
}

func TestLimitsValidate(t *testing.T) {
	for _, c := range []struct {
		name   string
		limits Limits
		want   string
	}{
		{"none", Limits{}, ""},
		{"pid", Limits{KubeReserved: amounts("pid", "1000")}, `cannot reserve "pid" resource, only [cpu memory ephemeral-storage]`},
		{"negative", Limits{SystemReserved: amounts("cpu", "-1")}, `resource quantity for "cpu" cannot be negative: -1`},
		{"negative pods", Limits{MaxPods: -1}, "max pods -1 must not be a negative number"},
		{"image thresholds", Limits{ImageGC: imagegc.Policy{High: 10, Low: 20}}, "LowThresholdPercent 20 can not be higher than HighThresholdPercent 10"},
		{"critical share", Limits{ShutdownGrace: time.Second, ShutdownGraceCritical: time.Minute},
			"shutdown grace period of critical pods 1m0s must be at most the shutdown grace period 1s, and neither negative"},
		{"less than a second", Limits{ShutdownGrace: time.Millisecond}, "shutdown grace periods must be either zero or at least a second"},
	} {
		got := ""
		if err := c.limits.validate(); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	if _, err := ParseResources(map[string]string{"cpu": "many"}); err == nil || !strings.Contains(err.Error(), `failed to parse quantity "many" for "cpu" resource`) {
		t.Errorf("parsed nonsense: %v", err)
	}
}
