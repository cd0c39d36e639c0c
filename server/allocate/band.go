package allocate

import (
	"encoding/binary"
	"iter"
	"math"
	"math/rand/v2"
	"net/netip"
)

// A range is tried from its upper part first: its lower part is for those who ask for something of it by name.

// band bounds the lower part of a range: some part of the whole, at least and at most so much.
type band struct{ least, most, part uint64 }

var (
	addressBand = band{least: 16, most: 256, part: 16}
	portBand    = band{least: 16, most: 128, part: 32}
)

// size is the lower part of a range of so many.
func (b band) size(whole uint64) uint64 {
	if whole <= b.least {
		return 0
	}
	return min(max(whole/b.part, b.least), b.most)
}

// order gives the places 0 to count-1 in the order in which they are tried: those of the upper part from a random one on,
// then those of the lower part likewise.
func order(count, lower uint64) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		if lower < count && !around(lower, count-lower, yield) {
			return
		}
		around(0, min(lower, count), yield)
	}
}

// around gives the size places from first on, from a random one round to it. It tells whether to go on.
func around(first, size uint64, yield func(uint64) bool) bool {
	if size == 0 {
		return true
	}
	start := rand.Uint64N(size)
	for i := range size {
		place := start + i
		if place >= size || place < start {
			place -= size
		}
		if !yield(first + place) {
			return false
		}
	}
	return true
}

// AddressesOf gives the addresses of a range that a service can have, in the order in which they are tried.
func AddressesOf(prefix netip.Prefix) iter.Seq[netip.Addr] {
	count, first := hosts(prefix), prefix.Masked().Addr().Next()
	return func(yield func(netip.Addr) bool) {
		for place := range order(count, addressBand.size(saturated(count, 2))) {
			if !yield(plus(first, place)) {
				return
			}
		}
	}
}

// hosts is how many addresses of a range services can have: not the first, and of IPv4 not the last.
func hosts(prefix netip.Prefix) uint64 {
	free := prefix.Addr().BitLen() - prefix.Bits()
	if free >= 64 {
		return math.MaxUint64
	}
	all := uint64(1) << free
	reserved := uint64(1)
	if prefix.Addr().Is4() {
		reserved = 2
	}
	return all - min(all, reserved)
}

func saturated(a, b uint64) uint64 {
	if a > math.MaxUint64-b {
		return math.MaxUint64
	}
	return a + b
}

// plus is the address so many after another, within the lower half of an IPv6 address.
func plus(addr netip.Addr, n uint64) netip.Addr {
	bytes := addr.As16()
	binary.BigEndian.PutUint64(bytes[8:], binary.BigEndian.Uint64(bytes[8:])+n)
	sum := netip.AddrFrom16(bytes)
	if addr.Is4() {
		return sum.Unmap()
	}
	return sum
}

// Contains tells whether services can have an address of a range: all but the first, and of IPv4 the last.
func Contains(prefix netip.Prefix, addr netip.Addr) bool {
	if !prefix.Contains(addr) || prefix.Masked().Addr() == addr {
		return false
	}
	return !addr.Is4() || addr != plus(prefix.Masked().Addr(), uint64(1)<<(32-prefix.Bits())-1)
}

// PortsOf gives the ports from base on in the order in which they are tried.
func PortsOf(base, count int) iter.Seq[int32] {
	return func(yield func(int32) bool) {
		for place := range order(uint64(count), portBand.size(uint64(count))) {
			if !yield(int32(uint64(base) + place)) {
				return
			}
		}
	}
}
