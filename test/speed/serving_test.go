package speed

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// settleTime is how long servers run with nothing to do before their memory is read.
const settleTime = 60 * time.Second

// atOnce is how many clients ask at the same time where there are many.
const atOnce = 8

// BenchmarkServing takes the servers through the life of a cluster: empty, filled, listed, read, written, watched.
func BenchmarkServing(b *testing.B) {
	all := start(b)
	settle(b)
	reportResident(b, "memory idle", all)

	creating(b, all)
	settle(b)
	reportResident(b, "memory with 10,000 pods", all)

	listing(b, all)
	reading(b, all)
	writing(b, all)
	watching(b, all)
}

func settle(b *testing.B) {
	select {
	case <-time.After(settleTime):
	case <-b.Context().Done():
	}
}

// creating fills the servers.
func creating(b *testing.B, all []*server) {
	many := connect(b, all, atOnce)
	const rounds = 20
	report(b, "create a pod", compare(b, all, rounds, func(b *testing.B, s *server) int {
		many[s.name].do(b, crowd/rounds, func() request { return s.create(b) })
		return crowd / rounds
	}))
}

// listing reads all pods, two clients at a time: the servers never rest, and the clients need the other processor.
func listing(b *testing.B, all []*server) {
	const rounds, lists = 7, 6
	few := connect(b, all, 2)
	for _, s := range all {
		s.process.forgetPeak(b)
	}
	for _, row := range []struct {
		name   string
		accept string
		gzip   bool
	}{
		{"list as JSON", asJSON, false},
		{"list as Table", asTable, false},
		{"list as protobuf", asProtobuf, false},
		{"list as JSON, gzip asked for", asJSON, true},
	} {
		ask := func() request {
			return request{method: "GET", path: podsPath, accept: row.accept, gzip: row.gzip}
		}
		for _, s := range all { // what is made once is made now
			size := few[s.name].do(b, 2, ask) / 2
			b.Logf("%s: %s: %.1f MB", row.name, s.name, float64(size)/(1<<20))
		}
		report(b, row.name, compare(b, all, rounds, func(b *testing.B, s *server) int {
			few[s.name].do(b, lists, ask)
			return lists
		}))
	}
	reportMemory(b, "memory at most while listing", all, "VmHWM")
}

// reading gets one pod after the other.
func reading(b *testing.B, all []*server) {
	many := connect(b, all, atOnce)
	const rounds, gets = 11, 4000
	for _, row := range []struct{ name, accept, query string }{
		{"get as JSON", asJSON, ""},
		{"get as protobuf", asProtobuf, ""},
		{"get what is cached", asJSON, "?resourceVersion=0"},
	} {
		n := 0
		report(b, row.name, compare(b, all, rounds, func(b *testing.B, s *server) int {
			many[s.name].do(b, gets, func() request {
				n++
				return request{method: "GET", path: podPath(n) + row.query, accept: row.accept}
			})
			return gets
		}))
	}
}

// writing updates and patches pods that are there.
func writing(b *testing.B, all []*server) {
	many := connect(b, all, atOnce)
	const rounds, writes = 11, 400
	models := map[string]*corev1.Pod{}
	for _, s := range all {
		models[s.name] = s.model(b, many[s.name][0])
	}
	report(b, "update a pod", compare(b, all, rounds, func(b *testing.B, s *server) int {
		many[s.name].do(b, writes, func() request { return s.update(b, models[s.name]) })
		return writes
	}))
	report(b, "patch a pod", compare(b, all, rounds, func(b *testing.B, s *server) int {
		many[s.name].do(b, writes, s.patch)
		return writes
	}))
}
