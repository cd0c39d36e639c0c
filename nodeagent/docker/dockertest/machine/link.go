package machine

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"syscall"
	"testing"

	"github.com/vishvananda/netlink"
)

// connect joins the machine to this one by a pair of interfaces, which go with the machine. Their addresses are of the
// range that is kept for tests between networks (RFC 2544), and nobody else's here.
func (m *Machine) connect(t testing.TB) {
	t.Helper()
	for {
		r := make([]byte, 2)
		rand.Read(r) // never fails
		m.Outside = netip.AddrFrom4([4]byte{198, 18, r[0], r[1]&^3 | 1})
		m.Address = m.Outside.Next()
		attrs := netlink.NewLinkAttrs()
		attrs.Name = fmt.Sprintf("machine%02x%02x", r[0], r[1]&^3)
		err := netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "uplink", PeerNamespace: netlink.NsPid(m.init.Process.Pid)})
		if errors.Is(err, syscall.EEXIST) {
			continue // another machine's
		}
		must(t, err)
		must(t, address(attrs.Name, m.Outside))
		must(t, m.within(func() error { return address("uplink", m.Address) }))
		// Images come over this line only; a machine has a way out all the same.
		must(t, m.within(func() error {
			return netlink.RouteAdd(&netlink.Route{Gw: m.Outside.AsSlice()})
		}))
		return
	}
}

func address(name string, a netip.Addr) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return err
	}
	subnet := net.IPNet{IP: a.AsSlice(), Mask: net.CIDRMask(30, 32)}
	if err := netlink.AddrAdd(link, &netlink.Addr{IPNet: &subnet}); err != nil {
		return err
	}
	return netlink.LinkSetUp(link)
}

// Output runs a command on the machine to its end, and gives what it printed.
func (m *Machine) Output(t testing.TB, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	var out []byte
	must(t, m.within(func() (err error) {
		out, err = cmd.CombinedOutput()
		if err != nil {
			err = fmt.Errorf("%s %q: %w: %s", name, args, err, out)
		}
		return err
	}))
	return string(out)
}
