package network

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// nft is the firewall as a table of nftables, ours alone, which `nft list ruleset` shows:
//
//	table ip leme0 {
//		chain prerouting  { type nat hook prerouting priority -105; fib daddr type local jump hostports }
//		chain output      { type nat hook output priority -105;     fib daddr type local jump hostports }
//		chain hostports   { meta l4proto tcp th dport 8080 dnat to 10.42.0.7:80 … }
//		chain postrouting { type nat hook postrouting priority 95;  oifname leme0 ct status dnat ip saddr … masquerade }
//		chain guard       { type filter hook prerouting priority -300; iifname leme0 ip daddr 127.0.0.0/8 drop }
//	}
//
// What a pod sends to a port of the host may come back to itself or its neighbour, and what the host sends over its
// loopback comes from 127.0.0.1: both get the bridge's address as their source, or the answer would go astray. For
// the latter the bridge must route loopback addresses, and so the guard keeps pods from reaching the host's.
type nft struct{ bridge string }

// Just before the engine's own rules, which know nothing of these pods.
var (
	beforeDNAT = nftables.ChainPriorityRef(*nftables.ChainPriorityNATDest - 5)
	beforeSNAT = nftables.ChainPriorityRef(*nftables.ChainPriorityNATSource - 5)
)

const portsChain = "hostports"

func (n nft) table() *nftables.Table {
	return &nftables.Table{Family: nftables.TableFamilyIPv4, Name: n.bridge}
}

func (n nft) write(pods netip.Prefix, all []redirect) error {
	if err := n.open(all); err != nil {
		return err
	}
	c, err := nftables.New()
	if err != nil {
		return fmt.Errorf("speaking to the firewall: %w", err)
	}
	c.AddTable(n.table()) // there is nothing to remove else
	c.DelTable(n.table())
	if len(all) > 0 {
		n.fill(c, pods, all)
	}
	if err := c.Flush(); err != nil {
		return fmt.Errorf("writing the rules of host ports: %w", err)
	}
	return nil
}

// open lets packets pass that the rules send on.
func (n nft) open(all []redirect) error {
	if len(all) == 0 {
		return stopForwarding(n.bridge)
	}
	setting := "/proc/sys/net/ipv4/conf/" + n.bridge + "/route_localnet"
	if err := os.WriteFile(setting, []byte("1"), 0); err != nil {
		return fmt.Errorf("letting the host's loopback reach host ports: %w", err)
	}
	return letThrough(n.bridge)
}

func (n nft) forget(ports []Port) error { return forgetFlows(ports) }

func (n nft) intact() (bool, error) {
	c, err := nftables.New()
	if err != nil {
		return false, fmt.Errorf("speaking to the firewall: %w", err)
	}
	_, err = c.ListChain(n.table(), portsChain)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, os.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("looking for the rules of host ports: %w", err)
	}
	return forwards(n.bridge), nil
}

func (n nft) fill(c *nftables.Conn, pods netip.Prefix, all []redirect) {
	t := c.AddTable(n.table())
	chain := func(name string, kind nftables.ChainType, hook *nftables.ChainHook, priority *nftables.ChainPriority, rules ...[]expr.Any) {
		ch := c.AddChain(&nftables.Chain{Name: name, Table: t, Type: kind, Hooknum: hook, Priority: priority})
		for _, r := range rules {
			c.AddRule(&nftables.Rule{Table: t, Chain: ch, Exprs: r})
		}
	}
	var ports [][]expr.Any
	for _, r := range all {
		ports = append(ports, r.rule())
	}
	chain(portsChain, "", nil, nil, ports...)
	toHost := slices.Concat(toLocal(), verdict(expr.Verdict{Kind: expr.VerdictJump, Chain: portsChain}))
	chain("prerouting", nftables.ChainTypeNAT, nftables.ChainHookPrerouting, beforeDNAT, toHost)
	chain("output", nftables.ChainTypeNAT, nftables.ChainHookOutput, beforeDNAT, toHost)
	masquerade := func(source netip.Prefix) []expr.Any {
		return slices.Concat(out(n.bridge), redirected(), within4(sourceAt, source), []expr.Any{&expr.Masq{}})
	}
	loopback := netip.MustParsePrefix("127.0.0.0/8")
	chain("postrouting", nftables.ChainTypeNAT, nftables.ChainHookPostrouting, beforeSNAT, masquerade(pods), masquerade(loopback))
	chain("guard", nftables.ChainTypeFilter, nftables.ChainHookPrerouting, nftables.ChainPriorityRaw,
		slices.Concat(in(n.bridge), within4(destinationAt, loopback), verdict(expr.Verdict{Kind: expr.VerdictDrop})))
}

// rule is `[ip daddr ADDRESS] meta l4proto PROTOCOL th dport PORT dnat to POD:PORT`.
func (r redirect) rule() []expr.Any {
	var parts [][]expr.Any
	if !r.anyAddress() {
		parts = append(parts, within4(destinationAt, netip.PrefixFrom(r.HostIP, 32)))
	}
	pod := r.to.Addr().As4()
	parts = append(parts, protocol(r.Protocol), port(r.Host), []expr.Any{
		&expr.Immediate{Register: 1, Data: pod[:]},
		&expr.Immediate{Register: 2, Data: binaryutil.BigEndian.PutUint16(r.to.Port())},
		&expr.NAT{Type: expr.NATTypeDestNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: 1, RegProtoMin: 2, Specified: true},
	})
	return slices.Concat(parts...)
}
