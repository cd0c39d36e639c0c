package network

import (
	"fmt"
	"net/netip"
	"time"
)

// coolDown is how long an address rests after its pod is gone, while others are free.
const coolDown = 30 * time.Second

// pool hands out the pod addresses of a layout in turn, so that one comes around again as late as can be.
type pool struct {
	layout
	next    netip.Addr
	used    map[netip.Addr]bool
	resting map[netip.Addr]time.Time // since when
}

func newPool(l layout) *pool {
	return &pool{layout: l, next: l.first, used: map[netip.Addr]bool{}, resting: map[netip.Addr]time.Time{}}
}

// allocate takes the next free address that has rested; when none has, the one that rests longest.
func (p *pool) allocate(now time.Time) (netip.Addr, error) {
	var longest netip.Addr
	a := p.next
	for range number(p.last) - number(p.first) + 1 {
		switch since, resting := p.resting[a]; {
		case p.used[a]:
		case !resting || now.Sub(since) >= coolDown:
			p.give(a)
			return a, nil
		case !longest.IsValid() || since.Before(p.resting[longest]):
			longest = a
		}
		a = p.after(a)
	}
	if !longest.IsValid() {
		return netip.Addr{}, fmt.Errorf("all %d pod addresses of %s are taken", len(p.used), p.subnet)
	}
	p.give(longest)
	return longest, nil
}

func (p *pool) give(a netip.Addr) {
	p.take(a)
	p.next = p.after(a)
}

// take marks an address as used; those that are not for pods are left alone.
func (p *pool) take(a netip.Addr) {
	if a.IsValid() && !a.Less(p.first) && !p.last.Less(a) {
		p.used[a] = true
		delete(p.resting, a)
	}
}

// learn takes an address that somebody had at a time, unless it has been released since.
func (p *pool) learn(a netip.Addr, then time.Time) {
	if since, resting := p.resting[a]; resting && !since.Before(then) {
		return
	}
	p.take(a)
}

func (p *pool) release(a netip.Addr, now time.Time) {
	if p.used[a] {
		delete(p.used, a)
		p.resting[a] = now
	}
}

func (p *pool) after(a netip.Addr) netip.Addr {
	if a == p.last {
		return p.first
	}
	return a.Next()
}
