package test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"leme/nodeagent/docker/dockertest/machine"
	"leme/nodeagent/docker/dockertest/tap"
)

// fault is harm to one call of a pod's life.
type fault struct {
	call tap.Call
	kind string
}

func (f fault) String() string { return f.call.String() + " " + f.kind }

// deaths are the agent's: before the engine hears of a call, and before the agent hears the answer.
var deaths = map[string]func(*outpost) tap.Harm{
	"is the agent's last":                   func(o *outpost) tap.Harm { return tap.Harm{Before: o.again} },
	"is answered when the agent is no more": func(o *outpost) tap.Harm { return tap.Harm{After: o.again} },
}

// failures are the engine's.
var failures = map[string]func(*outpost) tap.Harm{
	"cuts all lines":     func(o *outpost) tap.Harm { return tap.Harm{Before: o.tap.Sever} },
	"is refused":         func(*outpost) tap.Harm { return tap.Harm{Refuse: true} },
	"has half an answer": func(*outpost) tap.Harm { return tap.Harm{Cut: true} },
}

// TestPodLivesThroughFaults harms one call of the agent to the engine in each life of a pod, any of them: the life is
// led as if nothing had happened. LEME_FAULTS=all harms each call in turn, which takes half an hour, LEME_FAULTS=50 so
// many of them, LEME_FAULTS="POST /containers/create" those that are told so; LEME_FAULTS_SEED repeats a choice.
func TestPodLivesThroughFaults(t *testing.T) {
	t.Parallel()
	f := newFrontier(t, machine.Config{LiveRestore: true})
	for _, network := range []string{"bridge", "netns"} {
		for name, kinds := range map[string]map[string]func(*outpost) tap.Harm{"deaths": deaths, "failures": failures} {
			o := f.outpost(t, network)
			t.Run(network+"/"+name, func(t *testing.T) {
				t.Parallel()
				must(t, o.start())
				o.awaitReady(t)
				s := o.subject(t)
				for range 2 { // the second life is like those that follow
					o.tap.Set(nil)
					s.live(t, s.node+"-undisturbed")
				}
				calls, before := o.tap.Calls(), o.burden(t)
				s.liveThrough(t, choose(t, faultsOf(calls, kinds)), kinds)
				if name == "failures" {
					o.tap.Set(func(tap.Call) tap.Harm { return tap.Harm{Late: 100 * time.Millisecond} })
					s.live(t, o.node+"-late")
					o.tap.Set(nil)
					o.awaitBurden(t, before)
				}
			})
		}
	}
}

// faultsOf are all faults of these kinds that a life with these calls can have.
func faultsOf(calls []tap.Call, kinds map[string]func(*outpost) tap.Harm) []fault {
	var all []fault
	for _, c := range calls {
		for kind := range kinds {
			all = append(all, fault{c, kind})
		}
	}
	slices.SortFunc(all, func(a, b fault) int { return cmp.Compare(a.String(), b.String()) })
	return all
}

// choose takes some of the faults: all, those that are told so, or as many as are asked for, by a seed that is told.
func choose(t *testing.T, all []fault) []fault {
	t.Helper()
	some := 3
	switch wanted := os.Getenv("LEME_FAULTS"); {
	case wanted == "all":
		return all
	case wanted != "":
		n, err := strconv.Atoi(wanted)
		if err != nil {
			return slices.DeleteFunc(all, func(f fault) bool { return !strings.Contains(f.String(), wanted) })
		}
		some = n
	}
	seed := uint64(time.Now().UnixNano())
	if given, err := strconv.ParseUint(os.Getenv("LEME_FAULTS_SEED"), 10, 64); err == nil {
		seed = given
	}
	t.Logf("LEME_FAULTS_SEED=%d", seed)
	rand.New(rand.NewPCG(seed, seed)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:min(some, len(all))]
}

// liveThrough leads a life for each fault. A fault whose call did not come about, as each life is a little different,
// is told.
func (s *subject) liveThrough(t *testing.T, faults []fault, kinds map[string]func(*outpost) tap.Harm) {
	t.Helper()
	for i, fault := range faults {
		well := t.Run(fault.String(), func(t *testing.T) {
			var happened sync.Once
			done := false
			s.tap.Set(func(c tap.Call) (harm tap.Harm) {
				if c == fault.call {
					happened.Do(func() { harm, done = kinds[fault.kind](s.outpost), true })
				}
				return harm
			})
			defer s.tap.Set(nil)
			s.live(t, fmt.Sprint(s.node, "-", i))
			if !done {
				t.Log("the call did not come about")
			}
		})
		if !well { // what it left would be taken for the next one's
			s.abort(t)
		}
	}
}

// burden is what an agent has open.
type burden struct{ goroutines, files int }

// idleLines is how many lines to the server and the engine an agent may keep for the next call, and goroutines with them.
const idleLines = 10

func (o *outpost) burden(t *testing.T) burden {
	t.Helper()
	metrics := o.mustKubectl(t, "get", "--raw", "/api/v1/nodes/"+o.node+"/proxy/metrics")
	var b burden
	for line := range strings.Lines(metrics) {
		if _, err := fmt.Sscanf(line, "go_goroutines %d", &b.goroutines); err == nil {
			break
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", o.agent.Process.Pid))
	must(t, err)
	b.files = len(open)
	return b
}

// awaitBurden waits until an agent has no more open than before.
func (o *outpost) awaitBurden(t *testing.T, before burden) {
	t.Helper()
	var now burden
	eventually(t, "goroutines and files no more than before", func() bool {
		now = o.burden(t)
		return now.goroutines > 0 && now.goroutines <= before.goroutines+2*idleLines && now.files <= before.files+idleLines
	})
	t.Logf("open before: %+v, after: %+v", before, now)
}
