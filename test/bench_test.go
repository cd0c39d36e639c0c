package test

import (
	"context"
	"os/exec"
	"slices"
	"testing"
	"time"
)

// Benchmarks measure in rounds of their own, so that they run with -benchtime 1x. They report under the units that
// test/budget reads: ms and, for what they are compared with, reference-ms.

// turns is how often each of two things is measured, one after the other.
const turns = 15

// compare measures two things in turn, so that what else the machine does meets both alike, and reports the medians.
func compare(b *testing.B, ours, reference func() time.Duration) {
	b.Helper()
	compareTurns(b, turns, ours, reference)
}

func compareTurns(b *testing.B, turns int, ours, reference func() time.Duration) {
	b.Helper()
	for b.Loop() {
		var a, r []time.Duration
		for range turns {
			r = append(r, reference())
			a = append(a, ours())
		}
		b.ReportMetric(milliseconds(middle(a)), "ms")
		b.ReportMetric(milliseconds(middle(r)), "reference-ms")
	}
	b.ReportMetric(0, "ns/op") // of a whole comparison, which says nothing
}

// middle is the median.
func middle(all []time.Duration) time.Duration { return percentile(all, 50) }

func percentile(all []time.Duration, p int) time.Duration {
	slices.Sort(all)
	return all[len(all)*p/100]
}

func milliseconds(d time.Duration) float64 { return d.Seconds() * 1000 }

// timed is how long a command takes, from its start to its end. It has to succeed.
func timed(b *testing.B, command func(context.Context, ...string) *exec.Cmd, args ...string) time.Duration {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), patience)
	defer cancel()
	cmd := command(ctx, args...)
	started := time.Now()
	out, err := cmd.CombinedOutput()
	took := time.Since(started)
	if err != nil {
		b.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	return took
}

// benchCluster is a cluster of a benchmark's own, up.
func benchCluster(b *testing.B, agentFlags ...string) *cluster {
	b.Helper()
	c := benchClusterDown(b, agentFlags...)
	if err := c.up(); err != nil {
		b.Fatal(err)
	}
	return c
}

// benchClusterDown is one that does not run yet.
func benchClusterDown(b *testing.B, agentFlags ...string) *cluster {
	b.Helper()
	c, err := newCluster()
	if err != nil {
		b.Fatal(err)
	}
	c.agent = append(c.agent, agentFlags...)
	b.Cleanup(func() {
		if err := c.remove(); err != nil {
			b.Error(err)
		}
	})
	return c
}
