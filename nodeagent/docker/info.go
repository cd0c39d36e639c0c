package docker

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/moby/moby/client"

	"leme/nodeagent/pod"
)

// Info is what a node's status says of its engine and machine.
type Info struct {
	Version         string // of the engine
	KernelVersion   string
	OperatingSystem string // "Debian GNU/Linux 12 (bookworm)"
	OSType          string // "linux"
	Architecture    string // as uname has it: "x86_64"
	CPUs            int
	Memory          int64  // bytes
	Root            string // the engine's directory on its host
	StorageDriver   string // "overlay2"; "overlayfs" on containerd's store
	CgroupVersion   string // "1" or "2"
	CgroupDriver    string
	LiveRestore     bool // containers survive a restart of the engine
	Warnings        []string
	AppArmor        bool     // it can confine containers by AppArmor's profiles
	SELinux         bool     // and by SELinux' labels
	Runtimes        []string // that a container can be run by
}

// Info asks the engine about itself and its machine.
func (r *Runtime) Info(ctx context.Context) (Info, error) {
	result, err := r.engine.Info(ctx, client.InfoOptions{})
	if err != nil {
		return Info{}, fmt.Errorf("asking the container engine about itself: %w", err)
	}
	i := result.Info
	return Info{
		Version:         i.ServerVersion,
		KernelVersion:   i.KernelVersion,
		OperatingSystem: i.OperatingSystem,
		OSType:          i.OSType,
		Architecture:    i.Architecture,
		CPUs:            i.NCPU,
		Memory:          i.MemTotal,
		Root:            i.DockerRootDir,
		StorageDriver:   i.Driver,
		CgroupVersion:   i.CgroupVersion,
		CgroupDriver:    i.CgroupDriver,
		LiveRestore:     i.LiveRestoreEnabled,
		Warnings:        i.Warnings,
		AppArmor:        secures(i.SecurityOptions, "apparmor"),
		SELinux:         secures(i.SecurityOptions, "selinux"),
		Runtimes:        slices.Sorted(maps.Keys(i.Runtimes)),
	}, nil
}

// secures finds a name among the engine's options: "name=seccomp,profile=default".
func secures(options []string, name string) bool {
	return slices.ContainsFunc(options, func(option string) bool {
		return slices.Contains(strings.Split(option, ","), "name="+name)
	})
}

// Host is what the engine and its machine can do, as it said lately.
func (r *Runtime) Host(ctx context.Context) (pod.Host, error) {
	if _, err := r.Version(ctx); err != nil { // it may be another one by now
		return pod.Host{}, err
	}
	v := &r.version
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.host == nil {
		i, err := r.Info(ctx)
		if err != nil {
			return pod.Host{}, err
		}
		v.host = &pod.Host{
			AppArmor: i.AppArmor, SELinux: i.SELinux,
			PodGroups: r.groupsPods(i), Runtimes: i.Runtimes,
		}
	}
	return *v.host, nil
}

// engineVersion is what the engine said of itself.
type engineVersion struct {
	mu    sync.Mutex
	text  string // empty: it is to be asked
	asked time.Time
	host  *pod.Host // of that version; nil: it is to be asked
}

// versionFresh is how long an engine that answers is believed to have the version that it said.
const versionFresh = 5 * time.Minute

// Version is the engine's name and version as a node reports it: "docker://20.10.24". It fails when the engine does not
// answer, and is cheap enough to find that out often: to tell its version the engine runs several programs, so that it
// is asked for it rarely.
func (r *Runtime) Version(ctx context.Context) (text string, err error) {
	defer plainly(&err)
	v := &r.version
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, err := r.engine.Ping(ctx, client.PingOptions{}); err != nil {
		v.text, v.host = "", nil // another one may answer next
		return "", fmt.Errorf("asking the container engine for its version: %w", err)
	}
	if v.text != "" && time.Since(v.asked) < versionFresh {
		return v.text, nil
	}
	result, err := r.engine.ServerVersion(ctx, client.ServerVersionOptions{})
	if err != nil {
		return "", fmt.Errorf("asking the container engine for its version: %w", err)
	}
	v.text, v.asked, v.host = "docker://"+result.Version, time.Now(), nil
	return v.text, nil
}
