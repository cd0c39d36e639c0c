package network

import (
	"net"
	"net/netip"
	"slices"

	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// Where an IPv4 header has its addresses.
const (
	sourceAt      = 12
	destinationAt = 16
)

func verdict(v expr.Verdict) []expr.Any { return []expr.Any{&v} }

func equals(data []byte) expr.Any { return &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: data} }

// in matches what came by an interface, out what leaves by it.
func in(name string) []expr.Any {
	return []expr.Any{&expr.Meta{Key: expr.MetaKeyIIFNAME, Register: 1}, equals(interfaceName(name))}
}

func out(name string) []expr.Any {
	return []expr.Any{&expr.Meta{Key: expr.MetaKeyOIFNAME, Register: 1}, equals(interfaceName(name))}
}

func interfaceName(name string) []byte {
	b := make([]byte, unix.IFNAMSIZ)
	copy(b, name)
	return b
}

// toLocal matches what is meant for an address of the host.
func toLocal() []expr.Any {
	return []expr.Any{&expr.Fib{Register: 1, FlagDADDR: true, ResultADDRTYPE: true}, equals(binaryutil.NativeEndian.PutUint32(unix.RTN_LOCAL))}
}

// redirected matches connections whose destination was changed (IPS_DST_NAT of nf_conntrack_common.h).
func redirected() []expr.Any {
	const destinationChanged = 1 << 5
	return []expr.Any{
		&expr.Ct{Key: expr.CtKeySTATUS, Register: 1},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4,
			Mask: binaryutil.NativeEndian.PutUint32(destinationChanged), Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: make([]byte, 4)},
	}
}

// within4 matches packets whose address at an offset of the IPv4 header is in a range.
func within4(offset uint32, p netip.Prefix) []expr.Any {
	address := p.Masked().Addr().As4()
	return []expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: 4},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: net.CIDRMask(p.Bits(), 32), Xor: make([]byte, 4)},
		equals(slices.Clone(address[:])),
	}
}

// protocolNumbers are what IP headers have.
var protocolNumbers = map[Protocol]byte{"tcp": unix.IPPROTO_TCP, "udp": unix.IPPROTO_UDP, "sctp": unix.IPPROTO_SCTP}

func protocol(p Protocol) []expr.Any {
	return []expr.Any{&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1}, equals([]byte{protocolNumbers[p]})}
}

// port matches the destination port, which all these protocols have at the same place.
func port(n uint16) []expr.Any {
	return []expr.Any{
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
		equals(binaryutil.BigEndian.PutUint16(n)),
	}
}
