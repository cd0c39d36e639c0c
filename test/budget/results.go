package main

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// results are the metrics of benchmarks: by the benchmark's name, then by the unit.
type results map[string]map[string]float64

// processors is what testing adds to a name where there is more than one.
var processors = regexp.MustCompile(`-\d+$`)

// take reads one line: a name, the number of rounds, then values with their units. Other lines are left alone.
func (r results) take(line string) error {
	fields := strings.Fields(line)
	if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
		return nil
	}
	metrics := map[string]float64{}
	for i := 2; i+1 < len(fields); i += 2 {
		value, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return fmt.Errorf("reading %q: %w", line, err)
		}
		metrics[fields[i+1]] = value
	}
	name := processors.ReplaceAllString(strings.TrimPrefix(fields[0], "Benchmark"), "")
	r[name] = metrics
	return nil
}
