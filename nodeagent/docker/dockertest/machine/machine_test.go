package machine_test

import (
	"strings"
	"testing"

	"github.com/moby/moby/client"

	"leme/nodeagent/docker/dockertest/machine"
)

func TestMachineHasAnEngineOfItsOwn(t *testing.T) {
	m := machine.New(t, machine.Config{LiveRestore: true})
	id := func() string {
		info, err := m.Engine.Info(t.Context(), client.InfoOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return info.Info.ID + " " + info.Info.DockerRootDir
	}
	before := id()
	if !strings.Contains(before, m.Dir) {
		t.Errorf("it is %s", before)
	}
	m.KillEngine(t)
	m.StartEngine(t)
	m.StopEngine(t)
	m.StartEngine(t)
	if now := id(); now != before {
		t.Errorf("it was %s and is %s", before, now)
	}
	if links := m.Output(t, "ip", "-brief", "link"); strings.Count(links, "\n") != 3 {
		t.Errorf("its interfaces:\n%s", links)
	}
}
