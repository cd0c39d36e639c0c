package main

import (
	"strings"
	"testing"
)

const output = `goos: linux
BenchmarkUp-2   	       1	         0 ns/op	       612.4 ms
BenchmarkPull/one_layer,_6_MB/s_a_connection-2 	1	2040 ms	4080 reference-ms
BenchmarkServing/get-2 	1	0.5 cpu-ms
PASS
`

func TestTable(t *testing.T) {
	measured, err := read(strings.NewReader(output))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	err = write(&out, []row{
		{"Up", "up", "ms", "", 500},
		{"Pull/one_layer,_6_MB/s_a_connection", "pull", "ms", "docker pull", 0.5},
		{"Idle", "idle", "MB", "", 100},
		{"Serving/get", "get", "cpu-ms", peer, 0.5},
		{"Serving/get,_same_etcd", "compared", "cpu-ms", peer, 0.5},
	}, measured)
	want := `what  measured  reference            ratio  budget
up    612 ms                                500 ms missed
pull  2040 ms   docker pull 4080 ms  0.50   0.5x met
get   0.50 ms
`
	if got := trimmed(out.String()); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if err == nil || !strings.HasSuffix(err.Error(), ": Idle") {
		t.Errorf("a benchmark that did not run gave %v", err)
	}
}

// trimmed takes off the blanks that pad the last column.
func trimmed(table string) string {
	var lines []string
	for line := range strings.Lines(table) {
		lines = append(lines, strings.TrimRight(line, " \n")+"\n")
	}
	return strings.Join(lines, "")
}

func TestLinesThatAreBroken(t *testing.T) {
	if _, err := read(strings.NewReader("BenchmarkUp-2 1 many ms\n")); err == nil {
		t.Error("a value that is no number was taken")
	}
}
