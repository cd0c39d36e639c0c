package simulated

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// TestStages looks at one pod's life at several times, in seconds.
func TestStages(t *testing.T) {
	begin := time.Unix(1_000_000, 0)
	at := func(s float64) time.Time { return begin.Add(time.Duration(s * float64(time.Second))) }
	second := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	for _, test := range []struct {
		name   string
		course course
		ending float64 // 0: nobody tells it to
		grace  int64
		want   map[float64]string
	}{
		{"quick", course{}, 0, 30, map[float64]string{0: "Running ready 0 next 0s"}},
		{"started and ready", course{start: second(2), ready: second(3)}, 0, 30, map[float64]string{
			0: "Pending 0 next 2s", 1: "Pending 0 next 1s", 2: "Running 0 next 3s", 5: "Running ready 0 next 0s",
		}},
		{"crashes once", course{start: second(1), ready: second(1), crash: second(10), back: second(5)}, 0, 30, map[float64]string{
			3: "Running ready 0 next 8s", 11: "Running 1 next 5s", 16: "Running 1 next 1s", 17: "Running ready 1 next 0s",
		}},
		{"comes to its end", course{run: second(4)}, 0, 30, map[float64]string{1: "Running ready 0 next 3s", 4: "Succeeded 0 next 0s"}},
		{"crashes, and comes to its end", course{run: second(10), crash: second(2), back: second(2)}, 0, 30, map[float64]string{
			3: "Running 1 next 1s", 4: "Running ready 1 next 6s", 10: "Succeeded 0 next 0s",
		}},
		{"told to end", course{stop: second(5)}, 10, 30, map[float64]string{12: "Running ready 0 next 3s", 15: "Failed 0 next 0s"}},
		{"ends within its grace period", course{stop: second(60)}, 10, 2, map[float64]string{11: "Running ready 0 next 1s", 12: "Failed 0 next 0s"}},
		{"ends before it runs", course{start: second(60)}, 10, 30, map[float64]string{10: "Failed 0 next 0s"}},
		{"has come to its end when told to", course{run: second(4), stop: second(9)}, 10, 30, map[float64]string{11: "Succeeded 0 next 0s"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := &pod{object: &corev1.Pod{}, course: test.course, since: begin}
			for when, want := range test.want {
				p.ending = time.Time{}
				if test.ending != 0 && when >= test.ending {
					p.ending = at(test.ending)
					p.object.DeletionGracePeriodSeconds = ptr.To(test.grace)
				}
				if got := p.at(at(when)).String(); got != want {
					t.Errorf("at %vs: got %q, want %q", when, got, want)
				}
			}
		})
	}
}

func (s stage) String() string {
	ready := ""
	if s.ready {
		ready = " ready"
	}
	return fmt.Sprintf("%s%s %d next %s", s.phase, ready, s.restarts, s.next)
}

func TestLifeIsOfTheSeed(t *testing.T) {
	life := Life{Start: Range{time.Second, time.Minute}, Crash: 0.5, Crashed: Range{time.Second, time.Hour}}
	crashed := 0
	for i := range 1000 {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "a", Name: fmt.Sprint(i)}}
		c := life.of(7, p)
		if c != life.of(7, p) {
			t.Fatal("the same pod has two lives")
		}
		if c.start < time.Second || c.start > time.Minute {
			t.Errorf("it starts after %s", c.start)
		}
		if c == life.of(8, p) {
			t.Error("the seed makes no difference")
		}
		if c.crash > 0 {
			crashed++
		}
	}
	if crashed < 400 || crashed > 600 {
		t.Errorf("%d of 1000 crash", crashed)
	}
}
