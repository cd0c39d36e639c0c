package cgroup

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// Interface is what went over one of a network namespace's interfaces.
type Interface struct {
	Name                          string
	Received, Sent                uint64 // bytes
	ReceivedPackets, SentPackets  uint64
	ReceiveErrors, SendErrors     uint64
	ReceivesDropped, SendsDropped uint64
}

// Interfaces are those of the network that a process is in, without the loopback.
func (h Host) Interfaces(pid int) ([]Interface, error) {
	var all []Interface
	err := read(filepath.Join(h.proc(), strconv.Itoa(pid), "net", "dev"), func(text []byte) { all = parseInterfaces(string(text)) })
	if err != nil {
		return nil, fmt.Errorf("reading a process's interfaces: %w", err)
	}
	return all, nil
}

// The columns of net/dev, after the name: bytes, packets, errs, drop, fifo, frame, compressed, multicast, and the same
// of what was sent but for the last two.
const deviceColumns = 16

func parseInterfaces(text string) []Interface {
	var all []Interface
	for line := range strings.Lines(text) {
		name, rest, ok := strings.Cut(line, ":")
		name = strings.TrimSpace(name)
		fields := strings.Fields(rest)
		if !ok || name == "lo" || len(fields) < deviceColumns {
			continue
		}
		n := make([]uint64, len(fields))
		for i, f := range fields {
			n[i], _ = strconv.ParseUint(f, 10, 64) // the kernel writes numbers
		}
		all = append(all, Interface{
			Name: name, Received: n[0], ReceivedPackets: n[1], ReceiveErrors: n[2], ReceivesDropped: n[3],
			Sent: n[8], SentPackets: n[9], SendErrors: n[10], SendsDropped: n[11],
		})
	}
	return all
}
