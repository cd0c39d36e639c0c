package controller

import (
	"net/netip"
	"testing"

	"k8s.io/utils/ptr"
)

func TestKubernetesEndpoints(t *testing.T) {
	for _, tt := range []struct {
		name string
		list []string
		want string
	}{
		{"none", nil, ""},
		{"one", []string{"10.0.0.2:6443"}, "10.0.0.2:6443 "},
		{"sorted", []string{"10.0.0.10:6443", "10.0.0.2:6443"}, "10.0.0.2:6443 10.0.0.10:6443 "},
		{"of the machine only", []string{"127.0.0.1:6443", "10.0.0.2:6443"}, "10.0.0.2:6443 "},
		{"on other ports", []string{"10.0.0.2:7443", "10.0.0.3:6443"}, "10.0.0.3:6443 "},
	} {
		var list []netip.AddrPort
		for _, text := range tt.list {
			list = append(list, netip.MustParseAddrPort(text))
		}
		listed, slice := kubernetesEndpoints(reachable(list))
		got, also := "", ""
		for _, subset := range listed.Subsets {
			for _, a := range subset.Addresses {
				got += netip.AddrPortFrom(netip.MustParseAddr(a.IP), uint16(subset.Ports[0].Port)).String() + " "
			}
		}
		for _, e := range slice.Endpoints {
			also += netip.AddrPortFrom(netip.MustParseAddr(e.Addresses[0]), uint16(ptr.Deref(slice.Ports[0].Port, 0))).String() + " "
		}
		if got != tt.want || also != tt.want {
			t.Errorf("%s: got %q and %q, want %q", tt.name, got, also, tt.want)
		}
	}
}
