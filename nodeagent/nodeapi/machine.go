package nodeapi

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"leme/nodeagent/pod"
)

// readMachine reads what the whole machine consumes from /proc.
func readMachine(now time.Time) (pod.Stats, error) {
	var files [3]string
	for i, path := range []string{"/proc/stat", "/proc/meminfo", "/proc/vmstat"} {
		content, err := os.ReadFile(path)
		if err != nil {
			return pod.Stats{}, fmt.Errorf("reading the machine's consumption: %w", err)
		}
		files[i] = string(content)
	}
	memory, faults := figures(files[1], ":"), figures(files[2], " ")
	total, free, available := memory["MemTotal"]*1024, memory["MemFree"]*1024, memory["MemAvailable"]*1024
	return pod.Stats{
		Time:        now,
		CPU:         busy(files[0]),
		MemoryLimit: total,
		MemoryUsage: total - free,
		WorkingSet:  total - available,
		RSS:         memory["AnonPages"] * 1024,
		PageFaults:  faults["pgfault"],
		MajorFaults: faults["pgmajfault"],
	}, nil
}

// tick is the unit of /proc/stat: the kernel shows it to programs as a hundredth of a second.
const tick = 10 * time.Millisecond

// busy is the processor time that was not idle, from the first line of /proc/stat: user, nice, system, idle, iowait,
// irq, softirq, steal.
func busy(stat string) time.Duration {
	line, _, _ := strings.Cut(stat, "\n")
	var ticks time.Duration
	for i, field := range strings.Fields(line) {
		if i == 0 || i == 4 || i == 5 || i > 8 {
			continue
		}
		n, _ := strconv.ParseInt(field, 10, 64)
		ticks += time.Duration(n)
	}
	return ticks * tick
}

// figures reads lines of a name, a separator and a number.
func figures(text, separator string) map[string]uint64 {
	m := map[string]uint64{}
	for line := range strings.Lines(text) {
		name, rest, _ := strings.Cut(line, separator)
		if fields := strings.Fields(rest); len(fields) > 0 {
			if n, err := strconv.ParseUint(fields[0], 10, 64); err == nil {
				m[name] = n
			}
		}
	}
	return m
}
