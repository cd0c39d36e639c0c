package allocate

import (
	"net/netip"
	"testing"
)

// Every address that services can have is tried once, those of the upper part first.
func TestAddressesOf(t *testing.T) {
	for _, tt := range []struct {
		prefix      string
		count       int
		first, last string
		lower       string // the last of the lower part
	}{
		{"10.96.0.0/24", 254, "10.96.0.1", "10.96.0.254", "10.96.0.16"},
		{"10.96.0.0/28", 14, "10.96.0.1", "10.96.0.14", ""},
		{"10.96.0.0/31", 0, "", "", ""},
		{"fd00::/120", 255, "fd00::1", "fd00::ff", "fd00::10"},
	} {
		prefix := netip.MustParsePrefix(tt.prefix)
		seen, upper := map[netip.Addr]bool{}, 0
		for addr := range AddressesOf(prefix) {
			if seen[addr] || !Contains(prefix, addr) {
				t.Errorf("%s: %s is tried twice, or is no address of it", tt.prefix, addr)
			}
			seen[addr] = true
			if tt.lower != "" && addr.Compare(netip.MustParseAddr(tt.lower)) <= 0 {
				continue
			}
			if upper++; upper != len(seen) {
				t.Errorf("%s: %s of the upper part comes late", tt.prefix, addr)
			}
		}
		if len(seen) != tt.count || tt.first != "" && (!seen[netip.MustParseAddr(tt.first)] || !seen[netip.MustParseAddr(tt.last)]) {
			t.Errorf("%s: %d are tried, want %d", tt.prefix, len(seen), tt.count)
		}
	}
	for range AddressesOf(netip.MustParsePrefix("fd00::/64")) { // more than can be counted
		break
	}
}

func TestPortsOf(t *testing.T) {
	seen := map[int32]bool{}
	for port := range PortsOf(30000, 2768) {
		if lower := port < 30000+86; lower != (len(seen) >= 2768-86) {
			t.Fatalf("%d comes as number %d", port, len(seen))
		}
		seen[port] = true
	}
	if len(seen) != 2768 || !seen[30000] || !seen[32767] {
		t.Errorf("%d are tried", len(seen))
	}
}
