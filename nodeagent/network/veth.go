package network

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// ErrAddressTaken says that another namespace on this host has the address.
var ErrAddressTaken = errors.New("the address is taken")

// podInterface is what an interface is called in a pod.
const podInterface = "eth0"

// veth is a pair of interfaces, one in a pod's namespace and one on the host's bridge. The kernel removes both with
// the namespace, and the pair is made with its peer inside, so that at no moment a death of this process leaves one
// behind. The host's end is named after the pod's address: no two pods can have the same.
type veth struct {
	bridge  string
	address netip.Prefix // of the pod
	gateway netip.Addr
	mtu     int
}

func (v veth) name() string { return hostEnd(v.address.Addr()) }

func hostEnd(pod netip.Addr) string {
	b := pod.As4()
	return fmt.Sprintf("leme%02x%02x%02x%02x", b[0], b[1], b[2], b[3])
}

// hardware is the pod's Ethernet address. It follows from the IP address, so that what neighbours remember of that
// stays right whoever has it.
func (v veth) hardware() net.HardwareAddr {
	b := v.address.Addr().As4()
	return net.HardwareAddr{0x02, 0x42, b[0], b[1], b[2], b[3]}
}

// connect makes what is missing of the pair, its addresses and routes.
func (v veth) connect(namespace *os.File) error {
	inside, err := netlink.NewHandleAt(netns.NsHandle(namespace.Fd()), unix.NETLINK_ROUTE)
	if err != nil {
		return fmt.Errorf("entering the pod's network: %w", err)
	}
	defer inside.Close()
	bridge, err := netlink.LinkByName(v.bridge)
	if err != nil {
		return fmt.Errorf("looking for bridge %s: %w", v.bridge, err)
	}
	peer, err := inside.LinkByName(podInterface)
	if notFound(err) {
		if err := v.make(namespace); err != nil {
			return err
		}
		peer, err = inside.LinkByName(podInterface)
	}
	if err != nil {
		return fmt.Errorf("looking for the pod's interface: %w", err)
	}
	if err := v.plug(bridge, peer.Attrs().ParentIndex); err != nil {
		return fmt.Errorf("connecting to bridge %s: %w", v.bridge, err)
	}
	if err := v.configure(inside, peer); err != nil {
		return fmt.Errorf("giving the pod %s: %w", v.address, err)
	}
	return nil
}

func notFound(err error) bool {
	var missing netlink.LinkNotFoundError
	return errors.As(err, &missing)
}

func (v veth) make(namespace *os.File) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU = v.name(), v.mtu
	err := netlink.LinkAdd(&netlink.Veth{
		LinkAttrs: attrs, PeerName: podInterface, PeerMTU: uint32(v.mtu),
		PeerHardwareAddr: v.hardware(), PeerNamespace: netlink.NsFd(namespace.Fd()),
	})
	if errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("%s: %w", v.address.Addr(), ErrAddressTaken)
	} else if err != nil {
		return fmt.Errorf("making interface %s: %w", v.name(), err)
	}
	return nil
}

// plug puts the host's end on the bridge.
func (v veth) plug(bridge netlink.Link, index int) error {
	host, err := netlink.LinkByIndex(index)
	if err != nil {
		return err
	}
	if host.Attrs().MasterIndex != bridge.Attrs().Index {
		if err := quiet(netlink.LinkSetIP6AddrGenMode(host, nl6None)); err != nil {
			return err
		}
		if err := netlink.LinkSetMaster(host, bridge); err != nil {
			return err
		}
		// What a pod sends to a port of the host can be meant for itself: then it leaves the bridge where it came.
		if err := netlink.LinkSetHairpin(host, true); err != nil {
			return err
		}
	}
	return netlink.LinkSetUp(host)
}

// configure brings the namespace's interfaces up, with the pod's address and its way out.
func (v veth) configure(inside *netlink.Handle, peer netlink.Link) error {
	loopback, err := inside.LinkByName("lo")
	if err != nil {
		return err
	}
	if err := inside.LinkSetUp(loopback); err != nil {
		return err
	}
	if err := quiet(inside.LinkSetIP6AddrGenMode(peer, nl6None)); err != nil {
		return err
	}
	ip := net.IPNet{IP: v.address.Addr().AsSlice(), Mask: net.CIDRMask(v.address.Bits(), 32)}
	if err := inside.AddrReplace(peer, &netlink.Addr{IPNet: &ip}); err != nil {
		return err
	}
	if err := inside.LinkSetUp(peer); err != nil {
		return err
	}
	return inside.RouteReplace(&netlink.Route{LinkIndex: peer.Attrs().Index, Gw: v.gateway.AsSlice()})
}

// nl6None is IN6_ADDR_GEN_MODE_NONE of linux/if_link.h: the pods' range is IPv4, and an interface that is up gives
// itself no IPv6 address then.
const nl6None = 1

// quiet passes over that the kernel has no IPv6.
func quiet(err error) error {
	if errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.EOPNOTSUPP) {
		return nil
	}
	return err
}
