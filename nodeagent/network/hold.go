package network

import (
	"io"
	"net"
	"net/netip"
)

// hold takes a port of the host. Nothing is received there: the rules take it to the pod before it arrives.
func hold(p Port) (io.Closer, error) {
	address := netip.IPv4Unspecified()
	if !p.anyAddress() {
		address = p.HostIP
	}
	if !address.Is4() {
		return nil, errIPv6
	}
	at := netip.AddrPortFrom(address, p.Host)
	switch p.Protocol {
	case "tcp":
		return net.ListenTCP("tcp4", net.TCPAddrFromAddrPort(at))
	case "udp":
		return net.ListenUDP("udp4", net.UDPAddrFromAddrPort(at))
	}
	return io.NopCloser(nil), nil // of other protocols Go has no sockets; other pods are refused all the same
}
