package speed

import (
	"context"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// cost is what one operation took on one server.
type cost struct {
	clock time.Duration // the median of the rounds
	cpu   time.Duration // the server's own, over all rounds
	etcd  time.Duration // of an etcd in a process of its own
}

// work is some operations on a server; it says how many.
type work func(b *testing.B, s *server) int

// compare lets the servers do the same work in turns. Each begins a round as often as every other.
func compare(b *testing.B, all []*server, rounds int, do work) map[string]cost {
	b.Helper()
	times := map[string][]time.Duration{}
	total := map[string]cost{}
	done := map[string]int{}
	for round := range rounds {
		for i := range all {
			s := all[(round+i)%len(all)]
			before := s.used(b)
			started := time.Now()
			n := do(b, s)
			took := time.Since(started)
			after := s.used(b)
			t := total[s.name]
			total[s.name] = cost{cpu: t.cpu + after.cpu - before.cpu, etcd: t.etcd + after.etcd - before.etcd}
			times[s.name] = append(times[s.name], took/time.Duration(n))
			done[s.name] += n
		}
	}
	costs := map[string]cost{}
	for name, t := range total {
		n := time.Duration(done[name])
		costs[name] = cost{clock: percentile(times[name], 50), cpu: t.cpu / n, etcd: t.etcd / n}
	}
	return costs
}

// used is the processor's time that a server has had so far.
func (s *server) used(b *testing.B) cost {
	b.Helper()
	c := cost{cpu: s.process.cpu(b)}
	if s.etcd != nil {
		c.etcd = s.etcd.cpu(b)
	}
	return c
}

// report gives a row's figures: of Leme as shipped, and of Leme over the etcd that its peer has. As shipped, etcd's time
// is part of the server's, so its peer's counts there too.
func report(b *testing.B, row string, costs map[string]cost) {
	peer := costs[measured]
	reportOne(b, row, costs[shipped], cost{clock: peer.clock, cpu: peer.cpu + peer.etcd})
	if _, ok := costs[outside]; ok {
		reportOne(b, row+", same etcd", costs[outside], peer)
	}
}

func reportOne(b *testing.B, row string, ours, peer cost) {
	b.Run(row, func(b *testing.B) {
		for b.Loop() { // it has been measured already
		}
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(milliseconds(ours.clock), "ms")
		b.ReportMetric(milliseconds(ours.cpu), "cpu-ms")
		if peer.clock > 0 {
			b.ReportMetric(milliseconds(peer.clock), "reference-ms")
			b.ReportMetric(milliseconds(peer.cpu), "reference-cpu-ms")
		}
	})
}

// reportMemory reports a figure of each server in megabytes, with etcd where that is part of the comparison.
func reportMemory(b *testing.B, row string, all []*server, figure string) {
	b.Helper()
	alone, total := figures(b, all, figure)
	reportMegabytes(b, row+", etcd included", map[string]float64{"MB": total[shipped], "reference-MB": total[measured]})
	if ours, ok := alone[outside]; ok {
		reportMegabytes(b, row+", etcd apart", map[string]float64{"MB": ours, "reference-MB": alone[measured]})
	}
}

// reportResident reports what is resident of the servers now, and with it what is their own, without pages of files.
func reportResident(b *testing.B, row string, all []*server) {
	b.Helper()
	alone, total := figures(b, all, "VmRSS")
	ownAlone, ownTotal := figures(b, all, "RssAnon")
	reportMegabytes(b, row+", etcd included", map[string]float64{
		"MB": total[shipped], "reference-MB": total[measured],
		"own-MB": ownTotal[shipped], "reference-own-MB": ownTotal[measured],
	})
	if ours, ok := alone[outside]; ok {
		reportMegabytes(b, row+", etcd apart", map[string]float64{
			"MB": ours, "reference-MB": alone[measured],
			"own-MB": ownAlone[outside], "reference-own-MB": ownAlone[measured],
		})
	}
}

// figures are a figure of each server's process, and of it with its etcd.
func figures(b *testing.B, all []*server, figure string) (alone, total map[string]float64) {
	b.Helper()
	alone, total = map[string]float64{}, map[string]float64{}
	for _, s := range all {
		alone[s.name] = s.process.memory(b, figure)
		total[s.name] = alone[s.name]
		if s.etcd != nil {
			total[s.name] += s.etcd.memory(b, figure)
		}
	}
	return alone, total
}

// reportMegabytes is a row of what has been measured already; 0 is not reported.
func reportMegabytes(b *testing.B, row string, measured map[string]float64) {
	b.Helper()
	b.Run(row, func(b *testing.B) {
		for b.Loop() {
		}
		b.ReportMetric(0, "ns/op")
		for unit, n := range measured {
			if n > 0 {
				b.ReportMetric(n, unit)
			}
		}
	})
}

func percentile(all []time.Duration, p int) time.Duration {
	slices.Sort(all)
	return all[len(all)*p/100]
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1000 }

// clients are connections to one server that ask at the same time.
type clients []*conn

// connect opens n connections to each server, for as long as the benchmark runs.
func connect(b *testing.B, all []*server, n int) map[string]clients {
	b.Helper()
	made := map[string]clients{}
	for _, s := range all {
		for range n {
			ctx, cancel := context.WithTimeout(b.Context(), patience)
			c, err := dial(ctx, s)
			cancel()
			if err != nil {
				b.Fatalf("connecting to %s: %v", s.name, err)
			}
			b.Cleanup(c.close)
			made[s.name] = append(made[s.name], c)
		}
	}
	return made
}

// do sends n requests, as many at a time as there are clients, and gives the size of all answers.
func (cs clients) do(b *testing.B, n int, next func() request) (size int64) {
	b.Helper()
	requests := make(chan request, n)
	for range n {
		requests <- next()
	}
	close(requests)
	sizes := make([]int64, len(cs))
	var group errgroup.Group
	for i, c := range cs {
		group.Go(func() error {
			for r := range requests {
				n, err := c.do(r)
				if err != nil {
					return err
				}
				sizes[i] += n
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		b.Fatal(err)
	}
	for _, n := range sizes {
		size += n
	}
	return size
}
