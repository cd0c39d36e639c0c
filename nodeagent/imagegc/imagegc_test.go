package imagegc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/record"

	"leme/nodeagent/disk"
	"leme/nodeagent/pod"
)

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		policy Policy
		want   string
	}{
		{Policy{High: 85, Low: 80, MinAge: 2 * time.Minute}, ""},
		{Policy{High: 100, Low: 80}, ""},
		{Policy{High: 101}, "invalid HighThresholdPercent 101, must be in range [0-100]"},
		{Policy{High: 85, Low: -1}, "invalid LowThresholdPercent -1, must be in range [0-100]"},
		{Policy{High: 80, Low: 85}, "LowThresholdPercent 85 can not be higher than HighThresholdPercent 80"},
		{Policy{MinAge: time.Hour, MaxAge: time.Minute}, "the maximum age of unused images, 1m0s, is less than the minimum, 1h0m0s"},
	} {
		got := ""
		if err := c.policy.Validate(); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%+v: %q, want %q", c.policy, got, c.want)
		}
	}
}

func TestExcess(t *testing.T) {
	for _, c := range []struct {
		high, low           int
		capacity, available int64
		want                int64
	}{
		{85, 80, 1000, 160, 0},
		{85, 80, 1000, 150, 50},
		{85, 80, 1000, 0, 200},
		{100, 80, 1000, 0, 0}, // switched off
		{85, 80, 0, 0, 0},
		{85, 80, 1000, 2000, 0},
	} {
		if got := (Policy{High: c.high, Low: c.low}).excess(c.capacity, c.available); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

var start = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// idle is an image of ours that was seen and used so many minutes after the start; a negative use is none.
func idle(id string, first, last int) entry {
	r := entry{ID: id, Size: 100, Ours: true, First: start.Add(time.Duration(first) * time.Minute)}
	if last >= 0 {
		r.Last = start.Add(time.Duration(last) * time.Minute)
	}
	return r
}

func TestWhich(t *testing.T) {
	used, foreign := idle("used", 0, 10), idle("foreign", 0, 0)
	used.Used, foreign.Ours = true, false
	records := []entry{idle("young", 59, -1), idle("b", 0, 20), used, foreign, idle("a", 0, 10), idle("never", 5, -1)}
	policy := Policy{MinAge: 2 * time.Minute, MaxAge: 45 * time.Minute}
	now := start.Add(time.Hour)
	ids := func(list []entry) string {
		var s []string
		for _, r := range list {
			s = append(s, r.ID)
		}
		return strings.Join(s, " ")
	}
	for _, c := range []struct{ name, got, want string }{
		{"one is enough", ids(policy.spare(records, 100, now)), "never"},
		{"two are needed", ids(policy.spare(records, 101, now)), "never a"},
		{"all that may go", ids(policy.spare(records, Everything, now)), "never a b"},
		{"none is needed", ids(policy.spare(records, 0, now)), ""},
		{"unused for long", ids(policy.aged(records, start, now)), "never a"},
		{"unused for long, but the agent has just begun to look", ids(policy.aged(records, now.Add(-time.Minute), now)), ""},
		{"no age is too high", ids(Policy{}.aged(records, start, now)), ""},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, c.got, c.want)
		}
	}
}

// shelf is an engine with images in memory.
type shelf struct {
	images []pod.Image
	used   map[string]bool
	stuck  string
	free   int64
	gone   []string
}

func (s *shelf) Images(context.Context) ([]pod.Image, error)          { return s.images, nil }
func (s *shelf) ImagesInUse(context.Context) (map[string]bool, error) { return s.used, nil }
func (s *shelf) space(context.Context) (disk.Space, bool, error) {
	return disk.Space{Usable: 1000, Free: s.free}, true, nil
}

func (s *shelf) DropImage(_ context.Context, id string) error {
	if id == s.stuck {
		return errors.New("in use")
	}
	for i, image := range s.images {
		if image.ID == id {
			s.images = append(s.images[:i:i], s.images[i+1:]...)
			s.gone = append(s.gone, id)
			s.free += image.Size
		}
	}
	return nil
}

// TestCollector: images go once they are old enough and the disk is nearly full; those in use, wanted or not ours stay.
func TestCollector(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{free: 500, used: map[string]bool{"used": true}, stuck: "stuck"}
		for _, id := range []string{"foreign", "used", "wanted", "stuck", "spare", "spare2"} {
			i := pod.Image{ID: id, Names: []string{"registry/" + id + ":1"}, RepoDigest: "registry/" + id + "@sha256:1", Size: 60}
			if id == "foreign" {
				i.RepoDigest = ""
			}
			s.images = append(s.images, i)
		}
		events := record.NewFakeRecorder(9)
		c := New(Config{Policy: Policy{High: 85, Low: 80, MinAge: 2 * time.Minute}, Engine: s, Disk: s.space, Wanted: func() []string { return []string{"docker.io/registry/wanted:1"} },
			Events: events, Node: &corev1.ObjectReference{Kind: "Node"}, Logger: slog.New(slog.DiscardHandler)})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- c.Run(ctx) }()
		synctest.Wait()
		s.free = 150
		<-time.After(time.Minute)
		if err := c.DropUnused(ctx); err != nil || len(s.gone) != 0 {
			t.Errorf("too young ones went: %v, %v", s.gone, err)
		}
		<-time.After(4*time.Minute + time.Second)
		synctest.Wait()
		if got := fmt.Sprint(s.gone); got != "[spare]" { // 50 bytes are to be freed; stuck comes after it by its name
			t.Errorf("gone: %s", got)
		}
		if err := c.DropUnused(ctx); err == nil || fmt.Sprint(s.gone) != "[spare spare2]" {
			t.Errorf("gone: %v, %v", s.gone, err)
		}
		s.stuck, s.free = "", 100
		if err := c.Collect(ctx); err != nil || fmt.Sprint(s.gone) != "[spare spare2 stuck]" {
			t.Errorf("gone: %v, %v", s.gone, err)
		}
		want := "Warning FreeDiskSpaceFailed Insufficient free disk space on the node's image filesystem (90% of 1000 B used). Failed to free sufficient space by deleting unused images (freed 60 bytes). Investigate disk usage, as it could be used by active images, logs, volumes, or other data."
		if got := <-events.Events; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestCacheFirst: where the layers kept of pulls are enough, no image goes.
func TestCacheFirst(t *testing.T) {
	s := &shelf{free: 100, images: []pod.Image{{ID: "spare", RepoDigest: "registry/spare@sha256:1", Size: 60}}}
	c := New(Config{Policy: Policy{High: 85, Low: 80}, Engine: s, Disk: s.space, Wanted: func() []string { return nil },
		Cache:  func() (int64, error) { s.free += 100; return 100, nil },
		Events: record.NewFakeRecorder(1), Node: &corev1.ObjectReference{Kind: "Node"}, Logger: slog.New(slog.DiscardHandler)})
	if err := c.Collect(t.Context()); err != nil || len(s.gone) > 0 || s.free != 200 {
		t.Errorf("gone: %v, free: %d, %v", s.gone, s.free, err)
	}
	s.free = 0
	if err := c.Collect(t.Context()); err != nil || fmt.Sprint(s.gone) != "[spare]" {
		t.Errorf("gone: %v, %v", s.gone, err)
	}
}

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{5: "5 B", 1536: "1.5 KiB", 92 << 30: "92.0 GiB", 5 << 50: "5120.0 TiB"} {
		if got := size(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}
