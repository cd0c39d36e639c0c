package test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// BenchmarkUp starts whole clusters on nothing, each until its node is Ready.
func BenchmarkUp(b *testing.B) {
	const clusters = 5
	for b.Loop() {
		var all []time.Duration
		for range clusters {
			all = append(all, upOnce(b))
		}
		b.ReportMetric(milliseconds(middle(all)), "ms")
	}
	b.ReportMetric(0, "ns/op")
}

func upOnce(b *testing.B) time.Duration {
	c, err := newCluster()
	if err != nil {
		b.Fatal(err)
	}
	defer func() {
		if err := c.remove(); err != nil {
			b.Error(err)
		}
	}()
	return timed(b, c.command, append([]string{"up", "--detach"}, append(c.server, c.agent...)...)...)
}

// settleTime is how long a cluster runs with nothing to do before it is looked at, and then how long it is watched.
const settleTime = 30 * time.Second

// BenchmarkIdle reads what a cluster with nothing to do uses: the resident memory and the processor's time of its one
// process, etcd included.
func BenchmarkIdle(b *testing.B) {
	c := benchCluster(b)
	pid := strings.TrimSpace(readFile(b, filepath.Join(c.home, "run", "server.pid")))
	for b.Loop() {
		settle(b)
		before := cpuTime(b, pid)
		settle(b)
		b.ReportMetric(100*(cpuTime(b, pid)-before).Seconds()/settleTime.Seconds(), "%-cpu")
		b.ReportMetric(residentMegabytes(b, pid), "MB")
		b.ReportMetric(megabytes(b, pid, "RssAnon:"), "own-MB")
	}
	b.ReportMetric(0, "ns/op")
}

func settle(b *testing.B) {
	select {
	case <-time.After(settleTime):
	case <-b.Context().Done():
	}
}

func residentMegabytes(b *testing.B, pid string) float64 { return megabytes(b, pid, "VmRSS:") }

// megabytes reads a line of /proc/PID/status.
func megabytes(b *testing.B, pid, field string) float64 {
	for line := range strings.Lines(readFile(b, "/proc/"+pid+"/status")) {
		if kilobytes, ok := strings.CutPrefix(line, field); ok {
			return number(b, strings.Fields(kilobytes)[0]) / 1024
		}
	}
	b.Fatalf("process %s has no %s", pid, field)
	return 0
}

// cpuTime is what a process has used so far, in user and kernel mode: fields 14 and 15 of /proc/PID/stat, in ticks of
// which Linux shows 100 a second everywhere.
func cpuTime(b *testing.B, pid string) time.Duration {
	stat := readFile(b, "/proc/"+pid+"/stat")
	fields := strings.Fields(stat[strings.LastIndex(stat, ")")+1:]) // from field 3 on: a name may hold blanks
	const user, kernel = 14 - 3, 15 - 3
	return time.Duration(number(b, fields[user])+number(b, fields[kernel])) * time.Second / 100
}

func number(b *testing.B, text string) float64 {
	n, err := strconv.ParseFloat(text, 64)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

func readFile(b *testing.B, path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	return string(text)
}
