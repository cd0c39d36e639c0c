package docker

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/client"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"leme/nodeagent/pod"
)

func TestPauseProgramIsAnExecutable(t *testing.T) {
	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		program, err := pauseProgram(arch)
		if err != nil {
			t.Fatal(err)
		}
		f, err := elf.NewFile(bytes.NewReader(program))
		if err != nil {
			t.Fatal(err)
		}
		if f.Machine != machine || f.Type != elf.ET_EXEC || len(f.Progs) != 1 || len(program) > 392 {
			t.Errorf("%s: %d bytes, %+v", arch, len(program), f.FileHeader)
		}
		if p := f.Progs[0]; f.Entry < p.Vaddr || f.Entry >= p.Vaddr+p.Filesz || p.Filesz != uint64(len(program)) {
			t.Errorf("%s: the entry point %x is outside of %+v", arch, f.Entry, p.ProgHeader)
		}
		if !bytes.HasSuffix(program, ignoreAction) || len(ignoreAction) != 32 {
			t.Errorf("%s: the data does not end the program", arch)
		}
	}
	if program, err := netnsProgram("amd64"); err != nil || len(program) > 512 {
		t.Errorf("the program that makes a namespace has %d bytes, %v", len(program), err)
	}
	if _, err := pauseProgram("pdp11"); err == nil {
		t.Error("an unknown architecture has a program")
	}
}

func TestResources(t *testing.T) {
	list := func(cpu, memory string) corev1.ResourceList {
		l := corev1.ResourceList{}
		if cpu != "" {
			l[corev1.ResourceCPU] = resource.MustParse(cpu)
		}
		if memory != "" {
			l[corev1.ResourceMemory] = resource.MustParse(memory)
		}
		return l
	}
	for name, row := range map[string]struct {
		requests, limits corev1.ResourceList
		want             container.Resources
	}{
		"nothing":      {nil, nil, container.Resources{CPUShares: 2}},
		"request":      {list("1500m", "1Gi"), nil, container.Resources{CPUShares: 1536}},
		"limit":        {nil, list("2", ""), container.Resources{CPUShares: 2048, CPUPeriod: 100_000, CPUQuota: 200_000}},
		"tiny limit":   {list("1m", ""), list("1m", ""), container.Resources{CPUShares: 2, CPUPeriod: 100_000, CPUQuota: 1000}},
		"memory":       {nil, list("", "64Mi"), container.Resources{CPUShares: 2, Memory: 64 << 20, MemorySwap: 64 << 20}},
		"huge request": {list("1000", ""), nil, container.Resources{CPUShares: 262_144}},
	} {
		got := resources(pod.ShareOf(corev1.ResourceRequirements{Requests: row.requests, Limits: row.limits}))
		if !reflect.DeepEqual(got, row.want) {
			t.Errorf("%s: %+v, want %+v", name, got, row.want)
		}
	}
}

func TestPortMap(t *testing.T) {
	ports, err := portsOf([]corev1.ContainerPort{
		{ContainerPort: 80, HostPort: 8080},
		{ContainerPort: 80, HostPort: 8081, HostIP: "127.0.0.1", Protocol: corev1.ProtocolTCP},
		{ContainerPort: 53, HostPort: 53, Protocol: corev1.ProtocolUDP},
	})
	if err != nil {
		t.Fatal(err)
	}
	r := &Runtime{Config: Config{Network: noNetwork{}}}
	o := &client.ContainerCreateOptions{Config: &container.Config{}, HostConfig: &container.HostConfig{}}
	if err := r.engineNetwork(netip.Addr{}, ports, o); err != nil {
		t.Fatal(err)
	}
	want := "map[53/udp:[{invalid IP 53}] 80/tcp:[{invalid IP 8080} {127.0.0.1 8081}]]"
	if got := fmt.Sprint(o.HostConfig.PortBindings); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, err := portsOf([]corev1.ContainerPort{{ContainerPort: 80, HostIP: "here"}}); err == nil {
		t.Error("a bad hostIP was taken")
	}
}

// noNetwork has a name alone.
type noNetwork struct{ Network }

func (noNetwork) Name() string { return "none" }

func frame(stream byte, text string) string {
	header := [8]byte{stream}
	binary.BigEndian.PutUint32(header[4:], uint32(len(text)))
	return string(header[:]) + text
}

func TestEntryReader(t *testing.T) {
	const stamp = "2026-01-02T03:04:05.000000006Z "
	long := strings.Repeat("y", recordLimit)
	for name, row := range map[string]struct {
		tty    bool
		input  string
		want   []string
		broken bool
	}{
		"frames":              {input: frame(1, stamp+"a\n") + frame(2, stamp+"b"), want: []string{"a\n", "b"}},
		"no time":             {input: frame(1, "engine speaks\n"), want: []string{"engine speaks\n"}},
		"cut frame":           {input: frame(1, stamp+"abc")[:20], broken: true},
		"no frames":           {input: "HTTP/1.1 500\r\n", broken: true},
		"bare":                {tty: true, input: stamp + "a\r\n" + stamp + "\n" + stamp + "b", want: []string{"a\r\n", "\n", "b"}},
		"bare, cut by length": {tty: true, input: stamp + long + stamp + "z\n", want: []string{long, "z\n"}},
		"nothing":             {tty: true},
	} {
		r := newEntryReader(strings.NewReader(row.input), row.tty)
		var got []string
		e, err := r.next()
		for ; err == nil; e, err = r.next() {
			got = append(got, string(e.text))
		}
		if broken := err.Error() != "EOF"; broken != row.broken || !reflect.DeepEqual(got, row.want) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func FuzzEntryReader(f *testing.F) {
	f.Add([]byte(frame(1, "2026-01-02T03:04:05.000000006Z a\n")), false)
	f.Add([]byte("2026-01-02T03:04:05.000000006Z a\n"), true)
	f.Fuzz(func(t *testing.T, input []byte, tty bool) {
		r := newEntryReader(bytes.NewReader(input), tty)
		total := 0
		for e, err := r.next(); err == nil; e, err = r.next() {
			total += len(e.text)
		}
		if total > len(input) {
			t.Errorf("%d bytes came out of %d", total, len(input))
		}
	})
}

func TestEndKeepsTheLastBytes(t *testing.T) {
	e := &end{limit: 5}
	for _, s := range []string{"abc", "", "defghijk", "lm"} {
		if n, err := e.Write([]byte(s)); n != len(s) || err != nil {
			t.Errorf("%d, %v", n, err)
		}
	}
	if got := string(e.bytes()); got != "ijklm" {
		t.Errorf("got %q", got)
	}
}

func TestLoadFailureStandsInTheStream(t *testing.T) {
	if err := loadFailure(strings.NewReader(`{"stream":"Loaded"}`)); err != nil {
		t.Error(err)
	}
	err := loadFailure(strings.NewReader(`{"stream":"x"}{"errorDetail":{"message":"no space left"},"error":"no space left"}`))
	if err == nil || err.Error() != "no space left" {
		t.Errorf("got %v", err)
	}
}

func TestEngineNames(t *testing.T) {
	r := &Runtime{Config: Config{LocalName: func(ref string) (string, error) {
		return strings.Replace(ref, "@sha256:", ":sha256-", 1), nil
	}}}
	digest := "sha256:" + strings.Repeat("ab", 32)
	for ref, want := range map[string][]string{
		digest:                  {digest},
		"registry.leme/hello:1": {"registry.leme/hello:1"},
		"r.io/a@" + digest:      {"r.io/a@" + digest, "r.io/a:sha256-" + digest[7:]},
		"UPPER":                 nil,
	} {
		if got, err := r.engineNames(ref); !reflect.DeepEqual(got, want) || (err == nil) != (want != nil) {
			t.Errorf("%s: %v, %v", ref, got, err)
		}
	}
	r.LocalName = nil
	if got, err := r.engineNames("deadbeef"); err != nil || got[0] != "docker.io/library/deadbeef:latest" {
		t.Errorf("%v, %v", got, err)
	}
}

func TestImageNames(t *testing.T) {
	r := &Runtime{Config: Config{RepoDigest: func(name string) string {
		if !strings.Contains(name, ":sha256-") {
			return ""
		}
		return strings.Replace(name, ":sha256-", "@sha256:", 1)
	}}}
	tags := []string{"b.io/x:1", "b.io/x:sha256-12", "a.io/x:sha256-12", "<none>:<none>"}
	for repository, want := range map[string]string{"": "a.io/x@sha256:12", "b.io/x": "b.io/x@sha256:12", "c.io/x": "a.io/x@sha256:12"} {
		names, digest := r.names(tags, repository)
		if !reflect.DeepEqual(names, []string{"a.io/x@sha256:12", "b.io/x@sha256:12", "b.io/x:1"}) || digest != want {
			t.Errorf("of repository %q: %v, %s", repository, names, digest)
		}
	}
	r.RepoDigest = nil
	if names, digest := r.names(tags[:1], ""); len(names) != 1 || digest != "" {
		t.Errorf("%v, %q", names, digest)
	}
}

func TestAddressIsGivenBackOnce(t *testing.T) {
	a := addresses{of: map[string]netip.Addr{}, held: map[netip.Addr]bool{}}
	a.keep(pod.Container{ID: "old", Sandbox: true, IP: "10.0.0.2"}, pod.Container{ID: "app"}, pod.Container{ID: "host", Sandbox: true})
	if ip, free := a.drop("old"); !free || ip.String() != "10.0.0.2" {
		t.Errorf("%s, %t", ip, free)
	}
	if _, free := a.drop("old"); free {
		t.Error("given back twice")
	}
	a.keep(pod.Container{ID: "old", Sandbox: true, IP: "10.0.0.2"}) // from a list that began before it was removed
	a.keep(pod.Container{ID: "new", Sandbox: true, IP: "10.0.0.2"})
	if _, free := a.drop("old"); free {
		t.Error("given back while another sandbox has it")
	}
	letGo := a.hold(netip.MustParseAddr("10.0.0.3"))
	a.keep(pod.Container{ID: "failed", Sandbox: true, IP: "10.0.0.3"})
	if _, free := a.drop("failed"); free {
		t.Error("given back while another attempt is made with it")
	}
	letGo()
	a.keep(pod.Container{ID: "failed", Sandbox: true, IP: "10.0.0.3"})
	if _, free := a.drop("failed"); !free {
		t.Error("never given back")
	}
	if noted := a.noted(); len(noted) != 1 || noted[0] != "new" {
		t.Errorf("noted: %v", noted)
	}
}

func TestSecurityOptions(t *testing.T) {
	p := &corev1.PodSecurityContext{
		AppArmorProfile: &corev1.AppArmorProfile{Type: corev1.AppArmorProfileTypeLocalhost, LocalhostProfile: new("pods")},
		SELinuxOptions:  &corev1.SELinuxOptions{User: "u", Role: "r", Type: "t", Level: "s0"},
	}
	general := "apparmor=pods label=user:u label=role:r label=type:t label=level:s0"
	for name, row := range map[string]struct {
		own  corev1.SecurityContext
		want string
	}{
		"the pod's": {corev1.SecurityContext{}, general},
		"its own": {corev1.SecurityContext{
			AppArmorProfile: &corev1.AppArmorProfile{Type: corev1.AppArmorProfileTypeUnconfined}, SELinuxOptions: &corev1.SELinuxOptions{Type: "x"},
		}, "apparmor=unconfined label=type:x"},
		"the engine's":  {corev1.SecurityContext{AppArmorProfile: &corev1.AppArmorProfile{Type: corev1.AppArmorProfileTypeRuntimeDefault}}, strings.TrimPrefix(general, "apparmor=pods ")},
		"no escalation": {corev1.SecurityContext{AllowPrivilegeEscalation: new(false)}, "no-new-privileges:true " + general},
	} {
		options, err := (&Runtime{}).securityOptions(p, &row.own)
		if got := strings.Join(options, " "); err != nil || got != row.want {
			t.Errorf("%s: got %s, %v; want %s", name, got, err, row.want)
		}
	}
}

func TestMounts(t *testing.T) {
	got := mounts([]pod.Mount{{HostPath: "/a", ContainerPath: "/b", ReadOnly: true, Propagation: "rslave"}})
	if m := got[0]; m.Type != mount.TypeBind || m.Source != "/a" || m.Target != "/b" || !m.ReadOnly || m.BindOptions.Propagation != mount.PropagationRSlave {
		t.Errorf("%+v", m)
	}
}

// TestStates: a container that is being removed has ended, and does not seem to run again.
func TestStates(t *testing.T) {
	const started, ended = "2026-01-02T03:04:05Z", "2026-01-02T03:04:06Z"
	for name, row := range map[string]struct {
		state container.State
		want  pod.State
	}{
		"created":             {container.State{Status: container.StateCreated}, pod.Created},
		"failed to start":     {container.State{Status: container.StateCreated, ExitCode: 127}, pod.Exited},
		"running":             {container.State{Status: container.StateRunning, StartedAt: started}, pod.Running},
		"exited":              {container.State{Status: container.StateExited, StartedAt: started, FinishedAt: ended}, pod.Exited},
		"removing":            {container.State{Status: container.StateRemoving, StartedAt: started, FinishedAt: ended}, pod.Exited},
		"dead":                {container.State{Status: container.StateDead, StartedAt: started, FinishedAt: ended}, pod.Exited},
		"removing, never ran": {container.State{Status: container.StateRemoving}, pod.Created},
		"paused":              {container.State{Status: container.StatePaused, StartedAt: started}, pod.Paused},
	} {
		if got := observed(container.InspectResponse{State: &row.state, Config: &container.Config{}}).State; got != row.want {
			t.Errorf("%s: %s, want %s", name, got, row.want)
		}
	}
}
