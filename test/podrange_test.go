package test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// podRange is a range of addresses that one cluster of these tests has, and nobody else on this machine: neither an
// interface, nor a cluster of another run, which holds the lock of its range as long as it is there.
type podRange struct {
	netip.Prefix
	lock *os.File
}

// podRanges are those that clusters of tests may have.
func podRanges(yield func(netip.Prefix) bool) {
	for high := 101; high < 128; high++ {
		for low := range 256 {
			if !yield(netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(high), byte(low), 0}), 24)) {
				return
			}
		}
	}
}

func freePodRange() (*podRange, error) {
	taken, err := interfaceRanges()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(os.TempDir(), "leme-test-ranges")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	for r := range podRanges {
		if overlaps(taken, r) {
			continue
		}
		lock, err := os.OpenFile(filepath.Join(dir, r.Addr().String()), os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, err
		}
		if err = unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err == nil {
			return &podRange{r, lock}, nil
		}
		lock.Close()
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("locking the range %s: %w", r, err)
		}
	}
	return nil, errors.New("no range of addresses is free")
}

// release gives the range to others. Its file stays: who waits for it must find the same one.
func (r *podRange) release() error { return r.lock.Close() }

func interfaceRanges() ([]netip.Prefix, error) {
	addresses, err := net.InterfaceAddrs()
	var all []netip.Prefix
	for _, a := range addresses {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			all = append(all, p)
		}
	}
	return all, err
}

func overlaps(taken []netip.Prefix, r netip.Prefix) bool {
	for _, t := range taken {
		if t.Overlaps(r) {
			return true
		}
	}
	return false
}

// TestPodRangesDiffer: clusters of tests that are there at the same time have ranges of their own.
func TestPodRangesDiffer(t *testing.T) {
	first, err := freePodRange()
	must(t, err)
	second, err := freePodRange()
	must(t, err)
	if first.Overlaps(second.Prefix) {
		t.Errorf("both have %s", first)
	}
	must(t, second.release())
	must(t, first.release())
	again, err := freePodRange()
	must(t, err)
	must(t, again.release())
}
