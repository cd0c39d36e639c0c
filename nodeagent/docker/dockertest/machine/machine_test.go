package machine_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/moby/moby/client"

	"leme/nodeagent/docker/dockertest/machine"
)

func TestMain(m *testing.M) {
	if machine.RunHelper() {
		return
	}
	m.Run()
}

func TestEffectsAreTold(t *testing.T) {
	m := machine.New(t, machine.Config{})
	told := make(chan machine.Effect, 9)
	cmd := exec.Command("/bin/sh", "-c", "echo x >$0/a; cat $0/a; mount -t tmpfs none $0; umount $0", t.TempDir())
	cmd.Env = os.Environ()
	if err := m.StartWatched(cmd, func(e machine.Effect) { told <- e }); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []machine.Effect{"openat", "mount", "umount2"} {
		if got := <-told; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

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
