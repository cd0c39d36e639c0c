package controller

import (
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"
)

func nodeIn(zone, name string, ready bool) *corev1.Node {
	status := corev1.ConditionUnknown
	if ready {
		status = corev1.ConditionTrue
	}
	n := testNode(status)
	n.Name, n.Labels = name, map[string]string{corev1.LabelTopologyZone: zone}
	return n
}

func TestZoneStates(t *testing.T) {
	e := DefaultNodeEviction()
	for _, test := range []struct {
		ready, lost int
		state       zoneState
		rate        float64
	}{
		{0, 0, zoneNormal, 0.1}, {3, 0, zoneNormal, 0.1}, {1, 2, zoneNormal, 0.1}, {0, 2, zoneLost, 0.1},
		{4, 3, zoneNormal, 0.1}, {2, 3, zoneIll, 0}, {22, 28, zoneIll, 0}, {22, 29, zoneIll, 0.01}, {100, 100, zoneNormal, 0.1}, {0, 60, zoneLost, 0.1},
	} {
		state := e.zoneStateOf(test.ready, test.lost)
		if state != test.state || float64(e.rateOf(state, test.ready+test.lost)) != test.rate {
			t.Errorf("%d ready, %d lost: state %v, %v a second", test.ready, test.lost, state, e.rateOf(state, test.ready+test.lost))
		}
	}
}

func TestZonesLimitEvictions(t *testing.T) {
	z, now := newZones(DefaultNodeEviction()), testNow
	see := func(zone, name string, ready, wantChanged bool) {
		t.Helper()
		if got := z.see(nodeIn(zone, name, ready), now); got != wantChanged {
			t.Errorf("seeing %s changed: %t", name, got)
		}
	}
	for i := range 5 {
		see("a", fmt.Sprint("a", i), true, false)
	}
	see("a", "a0", false, false)
	see("a", "a1", false, false)
	if _, ok := z.mayEvict("a0", now); !ok {
		t.Error("the first waits")
	}
	if wait, ok := z.mayEvict("a1", now); ok || wait != 10*time.Second {
		t.Errorf("the second goes %t, in %v", ok, wait)
	}
	now = now.Add(10 * time.Second)
	if _, ok := z.mayEvict("a1", now); !ok {
		t.Error("the second waits longer than its zone's rate")
	}
	see("a", "a2", false, true) // three of five: the zone is ill, and small
	now = now.Add(time.Hour)
	if wait, ok := z.mayEvict("a2", now); ok || wait != 0 {
		t.Errorf("a small zone that is ill: goes %t, in %v", ok, wait)
	}
	see("b", "b0", true, false)
	see("a", "a3", false, false)
	see("a", "a4", false, true)
	now = now.Add(10 * time.Second)
	if _, ok := z.mayEvict("a2", now); !ok || z.disrupted() {
		t.Error("a whole zone is lost, others are not: it waits")
	}
	see("b", "b0", false, true)
	if !z.disrupted() {
		t.Error("all zones are lost, which is not noticed")
	}
	if !z.forget("b0", now) || !z.disrupted() {
		t.Error("a zone that is no more")
	}
	see("a", "a1", true, true)
	if z.disrupted() {
		t.Error("one is back, which is not noticed")
	}
	ignored := nodeIn("c", "c0", true)
	metav1.SetMetaDataLabel(&ignored.ObjectMeta, labelExcludedFromDisruption, "")
	z.see(ignored, now)
	see("a", "a1", false, true)
	if !z.disrupted() {
		t.Error("one that says nothing about its zone counts")
	}
}

// TestZonesKeepTheirRate has nodes come, go, fall silent and return in any order: in no zone are more nodes left than
// the rate allows, none is in a small zone that is ill, and the counts are those of the nodes that there are.
func TestZonesKeepTheirRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		eviction := DefaultNodeEviction()
		eviction.LargeCluster = rapid.IntRange(2, 8).Draw(t, "large")
		z, now := newZones(eviction), testNow
		nodes := map[string]*corev1.Node{}
		granted := map[string]int{}
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			zone := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "zone")
			name := fmt.Sprint(zone, rapid.IntRange(0, 9).Draw(t, "node"))
			now = now.Add(time.Duration(rapid.IntRange(0, 20_000).Draw(t, "ms")) * time.Millisecond)
			ready, lost := 0, 0
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				delete(nodes, name)
				z.forget(name, now)
			case 1, 2:
				nodes[name] = nodeIn(zone, name, rapid.Bool().Draw(t, "ready"))
				z.see(nodes[name], now)
			case 3:
				if _, ok := z.mayEvict(name, now); ok {
					granted[zone]++
				}
			}
			anyReady := false
			for _, n := range nodes {
				is := statusOf(n.Status.Conditions, corev1.NodeReady) == corev1.ConditionTrue
				anyReady = anyReady || is
				switch {
				case n.Labels[corev1.LabelTopologyZone] != zone:
				case is:
					ready++
				default:
					lost++
				}
			}
			if z.disrupted() != (len(nodes) > 0 && !anyReady) {
				t.Fatalf("disrupted %t with %d nodes, one ready: %t", z.disrupted(), len(nodes), anyReady)
			}
			if state := eviction.zoneStateOf(ready, lost); state == zoneIll && ready+lost <= eviction.LargeCluster {
				if _, ok := z.mayEvict(name, now); ok {
					t.Fatal("left a node of a small zone that is ill")
				}
			}
			if most := 1 + now.Sub(testNow).Seconds()*eviction.Rate; float64(granted[zone]) > most {
				t.Fatalf("%d nodes of zone %s left, at most %v may be", granted[zone], zone, most)
			}
		}
	})
}
