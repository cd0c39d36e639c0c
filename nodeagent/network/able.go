package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/google/nftables"
	"github.com/moby/moby/client"
	"golang.org/x/sys/unix"
)

// ableHost says why this process cannot connect namespaces to a network, whatever the engine is like; nil when it can.
func ableHost(engine *client.Client) error {
	if !strings.HasPrefix(engine.DaemonHost(), "unix://") {
		return fmt.Errorf("the engine %s is not on this machine", engine.DaemonHost())
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps [2]unix.CapUserData
	if err := unix.Capget(&header, &caps[0]); err != nil {
		return fmt.Errorf("asking for the agent's rights: %w", err)
	}
	for _, needed := range []uint{unix.CAP_NET_ADMIN, unix.CAP_SYS_ADMIN, unix.CAP_SYS_PTRACE} {
		if caps[0].Effective&(1<<needed) == 0 {
			return errors.New("the agent is not root")
		}
	}
	firewall, err := nftables.New()
	if err == nil {
		_, err = firewall.ListTablesOfFamily(nftables.TableFamilyIPv4)
	}
	if err != nil {
		return fmt.Errorf("the kernel has no nf_tables: %w", err)
	}
	return nil
}

// ableEngine says why the engine's containers cannot be connected by this process; nil when they can. An engine that
// does not answer is another error.
func ableEngine(ctx context.Context, engine *client.Client) (why, err error) {
	if why := ableHost(engine); why != nil {
		return why, nil
	}
	info, err := engine.Info(ctx, client.InfoOptions{})
	if err != nil {
		return nil, fmt.Errorf("asking the container engine about itself: %w", err)
	}
	for _, option := range info.Info.SecurityOptions {
		for _, obstacle := range []string{"rootless", "userns", "selinux"} {
			if slices.Contains(strings.Split(option, ","), "name="+obstacle) {
				return fmt.Errorf("the engine runs containers with %s", obstacle), nil
			}
		}
	}
	return sameHost(ctx, strings.TrimPrefix(engine.DaemonHost(), "unix://"))
}

// sameHost says why the engine's processes are not of this process's world: who listens on its socket must be visible
// from here, and have the same network.
func sameHost(ctx context.Context, socket string) (why, err error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, fmt.Errorf("reaching the container engine: %w", err)
	}
	defer conn.Close()
	raw, err := conn.(*net.UnixConn).SyscallConn()
	if err != nil {
		return nil, err
	}
	var peer *unix.Ucred
	var asked error
	if err := raw.Control(func(fd uintptr) {
		peer, asked = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return nil, err
	}
	if asked != nil {
		return nil, fmt.Errorf("asking who listens on the engine's socket: %w", asked)
	}
	for _, namespace := range []string{"net", "pid"} {
		same, err := sameNamespace(int(peer.Pid), namespace)
		if err != nil || !same {
			return errors.New("the engine is in another container or namespace than the agent"), nil
		}
	}
	return nil, nil
}
