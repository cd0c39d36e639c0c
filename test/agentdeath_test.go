package test

import (
	"testing"

	"leme/nodeagent/docker/dockertest/machine"
)

func TestLife(t *testing.T) {
	f := newFrontier(t, machine.Config{LiveRestore: true})
	for _, kind := range []string{"bridge", "netns"} {
		t.Run(kind, func(t *testing.T) {
			o := f.outpost(t, kind)
			must(t, o.start())
			o.awaitReady(t)
			s := o.subject(t)
			for range 2 {
				o.tap.Set(nil)
				s.live(t, "pod")
				t.Log(len(o.tap.Calls()), o.tap.Calls())
			}
		})
	}
}
