package test

import (
	"fmt"
	"slices"
	"testing"

	"leme/nodeagent/docker/dockertest/machine"
	"leme/nodeagent/docker/dockertest/tap"
)

// TestAgentDiesAtAnyEffect kills the agent in each life of a pod before one of its own effects: where it makes, names or
// removes files, mounts, or connects pods. LEME_FAULTS and LEME_FAULTS_SEED are as for TestPodLivesThroughFaults.
func TestAgentDiesAtAnyEffect(t *testing.T) {
	t.Parallel()
	f := newFrontier(t, machine.Config{LiveRestore: true})
	for _, network := range []string{"bridge", "netns"} {
		o := f.outpost(t, network)
		o.watched = true
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			must(t, o.start())
			o.awaitReady(t)
			s := o.subject(t)
			for range 2 { // the second life is like those that follow
				o.harmEffects(nil)
				s.live(t, o.node+"-undisturbed")
			}
			o.mu.Lock()
			effects := slices.Clone(o.effects)
			o.mu.Unlock()
			if len(effects) < 20 {
				t.Fatalf("only these effects were seen: %v", effects)
			}
			s.dieBefore(t, choose(t, faultsOf(effects, map[string]func(*outpost) tap.Harm{"does not come about": nil})))
		})
	}
}

// dieBefore leads a life for each effect, before which the agent dies.
func (s *subject) dieBefore(t *testing.T, faults []fault) {
	t.Helper()
	for i, fault := range faults {
		well := t.Run(fault.String(), func(t *testing.T) {
			died := false
			s.harmEffects(func(c tap.Call) bool {
				now := c == fault.call && !died
				died = died || now
				return now
			})
			defer s.harmEffects(nil)
			s.live(t, fmt.Sprint(s.node, "-", i))
			if !died {
				t.Log("the effect did not come about")
			}
		})
		if !well { // what it left would be taken for the next one's
			s.abort(t)
		}
	}
}
