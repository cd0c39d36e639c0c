package network

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestLayout(t *testing.T) {
	for _, row := range []struct{ cidr, gateway, first, last, engines string }{
		{"10.244.3.0/24", "10.244.3.1", "10.244.3.2", "10.244.3.239", "10.244.3.240/28"},
		{"10.244.3.7/24", "10.244.3.1", "10.244.3.2", "10.244.3.239", "10.244.3.240/28"},
		{"10.1.0.0/16", "10.1.0.1", "10.1.0.2", "10.1.239.255", "10.1.240.0/20"},
		{"10.0.0.16/28", "10.0.0.17", "10.0.0.18", "10.0.0.27", "10.0.0.28/30"},
	} {
		l, err := newLayout(netip.MustParsePrefix(row.cidr))
		if err != nil {
			t.Fatal(err)
		}
		got := []string{l.gateway.String(), l.first.String(), l.last.String(), l.engines.String()}
		if want := []string{row.gateway, row.first, row.last, row.engines}; strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%s: %v, want %v", row.cidr, got, want)
		}
	}
	for _, cidr := range []string{"10.0.0.0/29", "fd00::/64", "0.0.0.0/0"} {
		if _, err := newLayout(netip.MustParsePrefix(cidr)); err == nil {
			t.Errorf("%s was taken", cidr)
		}
	}
	if _, err := newLayout(netip.Prefix{}); err == nil {
		t.Error("no range was taken")
	}
}

func testPool(t testing.TB) *pool {
	l, err := newLayout(netip.MustParsePrefix("10.0.0.0/28")) // pods have .2 to .11
	if err != nil {
		t.Fatal(err)
	}
	return newPool(l)
}

func TestAddressesComeInTurnAndRest(t *testing.T) {
	p, now := testPool(t), time.Now()
	next := func() string {
		t.Helper()
		a, err := p.allocate(now)
		if err != nil {
			return "none"
		}
		return a.String()
	}
	p.take(netip.MustParseAddr("10.0.0.3"))
	p.take(netip.MustParseAddr("10.0.0.1")) // not for pods
	for _, want := range []string{"10.0.0.2", "10.0.0.4", "10.0.0.5"} {
		if got := next(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	p.release(netip.MustParseAddr("10.0.0.4"), now)
	p.release(netip.MustParseAddr("10.0.0.2"), now.Add(-time.Second))
	for _, want := range []string{"6", "7", "8", "9", "10", "11", "2", "4"} { // of those that rest, the longest first
		if got := next(); got != "10.0.0."+want {
			t.Errorf("got %s, want 10.0.0.%s", got, want)
		}
	}
	if got := next(); got != "none" {
		t.Errorf("got %s of a range that is used up", got)
	}
	p.release(netip.MustParseAddr("10.0.0.9"), now.Add(-coolDown))
	if got := next(); got != "10.0.0.9" {
		t.Errorf("got %s", got)
	}
}

// TestLearning is of a list of who has which address, made while others come and go.
func TestLearning(t *testing.T) {
	p, asked := testPool(t), time.Now()
	a, _ := p.allocate(asked)
	p.release(a, asked.Add(time.Second))
	p.learn(a, asked)
	if p.used[a] {
		t.Error("an address that was released after the list was made stays taken")
	}
	p.learn(a, asked.Add(time.Minute))
	if !p.used[a] {
		t.Error("an address that somebody has again is free")
	}
}

func TestNoAddressIsGivenTwice(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		p, now, held := testPool(t), time.Now(), map[netip.Addr]bool{}
		for range rapid.IntRange(1, 100).Draw(r, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 60).Draw(r, "seconds")) * time.Second)
			if len(held) > 0 && rapid.Bool().Draw(r, "release") {
				for a := range held {
					p.release(a, now)
					delete(held, a)
					break
				}
				continue
			}
			a, err := p.allocate(now)
			if (err != nil) != (len(held) == 10) || held[a] {
				r.Fatalf("%s, %v with %d held", a, err, len(held))
			}
			if err == nil {
				held[a] = true
			}
		}
	})
}
