package network

import (
	"encoding/binary"
	"fmt"
	"net/netip"
)

// layout is how a pod range is divided: the gateway is the first address, the engine has a sixteenth at the top (at
// least four addresses), and pods have what is between.
type layout struct {
	subnet      netip.Prefix
	gateway     netip.Addr
	engines     netip.Prefix // for the engine's own choices
	first, last netip.Addr   // for pods
}

// smallest is the length of the smallest range that can be divided.
const smallest = 28

func newLayout(podCIDR netip.Prefix) (layout, error) {
	if !podCIDR.IsValid() || !podCIDR.Addr().Is4() || podCIDR.Bits() > smallest || podCIDR.Bits() < 8 {
		return layout{}, fmt.Errorf("pod range %s: it must be IPv4, from /8 to /%d", podCIDR, smallest)
	}
	subnet := podCIDR.Masked()
	base, size := number(subnet.Addr()), uint32(1)<<(32-subnet.Bits())
	top := netip.PrefixFrom(address(base+size-1), min(subnet.Bits()+4, 30)).Masked()
	return layout{
		subnet:  subnet,
		gateway: address(base + 1),
		engines: top,
		first:   address(base + 2),
		last:    top.Addr().Prev(),
	}, nil
}

func number(a netip.Addr) uint32 {
	b := a.As4()
	return binary.BigEndian.Uint32(b[:])
}

func address(n uint32) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], n)
	return netip.AddrFrom4(b)
}
