package usage

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"pgregory.net/rapid"
)

const second = int64(time.Second)

func TestNextPair(t *testing.T) {
	// A container that has run for long: 15 s apart, half a processor.
	old := point{at: 1000 * second, started: 1 * second, cpu: 500e9, memory: 1 << 20}
	later := func(mutate func(*point)) point {
		p := point{at: 1015 * second, started: old.started, cpu: 507_500_000_000, memory: 2 << 20}
		mutate(&p)
		return p
	}
	same := func(*point) {}
	for _, tt := range []struct {
		name   string
		before pair
		now    point
		window time.Duration // 0: nothing is known
		cpu    string
	}{
		{"the first point", pair{}, later(same), 0, ""},
		{"the second", pair{last: old}, later(same), 15 * time.Second, "500m"},
		{"started again", pair{last: old}, later(func(p *point) { p.started, p.cpu = 1010*second, 1e9 }), 0, ""},
		{"young, and never seen before", pair{}, later(func(p *point) { p.started, p.cpu = 1003*second, 6e9 }), 12 * time.Second, "500m"},
		{"started again, and old enough", pair{last: old}, later(func(p *point) { p.started, p.cpu = 1003*second, 6e9 }), 12 * time.Second, "500m"},
		{"too young", pair{}, later(func(p *point) { p.started, p.cpu = 1006*second, 6e9 }), 0, ""},
		{"less used than before", pair{last: old}, later(func(p *point) { p.cpu = 1 }), 0, ""},
		{"not measured again", pair{last: later(same), before: old}, later(same), 15 * time.Second, "500m"},
		{"not measured again since the first", pair{last: later(same)}, later(same), 0, ""},
		{"a clock that went back", pair{last: later(same), before: old}, later(func(p *point) { p.at = 900 * second }), 0, ""},
		{"a node, which tells no start", pair{last: point{at: old.at, cpu: old.cpu}}, later(func(p *point) { p.started = 0 }), 15 * time.Second, "500m"},
		{"idle", pair{last: old}, later(func(p *point) { p.cpu = old.cpu }), 15 * time.Second, "0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.before.next(tt.now, 15*time.Second)
			if !got.known() {
				if tt.window != 0 {
					t.Fatal("nothing is known")
				}
				return
			}
			used := got.usage()
			if got.window() != tt.window || used.Cpu().String() != tt.cpu {
				t.Errorf("%s of a processor in %s, want %s in %s", used.Cpu(), got.window(), tt.cpu, tt.window)
			}
			if used.Memory().String() != "2Mi" {
				t.Errorf("memory is %s", used.Memory())
			}
		})
	}
}

// Whatever agents say, what is told is never negative and always of a time that has passed.
func TestPairsHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p pair
		for range rapid.IntRange(1, 20).Draw(t, "points") {
			p = p.next(point{
				at:      rapid.Int64Range(1, 1e12).Draw(t, "at"),
				started: rapid.Int64Range(0, 1e12).Draw(t, "started"),
				cpu:     rapid.Uint64Range(0, 1e12).Draw(t, "cpu"),
				memory:  rapid.Uint64Range(0, 1<<62).Draw(t, "memory"),
			}, 15*time.Second)
			if !p.known() {
				continue
			}
			used := p.usage()
			if p.window() <= 0 || used.Cpu().Sign() < 0 || used.Memory().Sign() < 0 || len(used) != 2 {
				t.Fatalf("%v in %s", used, p.window())
			}
			if _, ok := used[corev1.ResourceCPU]; !ok {
				t.Fatal("no processors")
			}
		}
	})
}
