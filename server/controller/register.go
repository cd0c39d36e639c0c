package controller

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// mastersPrefix is where servers tell that they live; beside the objects' prefix, so that it is no object.
const mastersPrefix = "/leme-masters/"

// Register tells the others where this server's API is, until ctx ends: a lease takes it back when the server dies. A
// host that is a name is told by its first IPv4 address.
func Register(ctx context.Context, client *clientv3.Client, host string, port int) error {
	for {
		err := register(ctx, client, host, port)
		if ctx.Err() != nil {
			return nil
		}
		slog.Warn("not told where this server is, trying again", "host", host, "err", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(campaignAgain):
		}
	}
}

func register(ctx context.Context, client *clientv3.Client, host string, port int) error {
	addr, err := addressOf(ctx, host)
	if err != nil {
		return err
	}
	session, err := newSession(ctx, client)
	if err != nil {
		return fmt.Errorf("making the server's lease: %w", err)
	}
	defer giveUp(ctx, client, session)
	master := netip.AddrPortFrom(addr, uint16(port))
	if _, err := client.Put(ctx, mastersPrefix+master.String(), "", clientv3.WithLease(session.Lease())); err != nil {
		return fmt.Errorf("telling where the server is: %w", err)
	}
	select {
	case <-ctx.Done():
		return nil
	case <-session.Done():
		return errors.New("the server's lease was lost")
	}
}

func addressOf(ctx context.Context, host string) (netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr, nil
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip4", host)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("resolving the server's name: %w", err)
	}
	return addrs[0].Unmap(), nil
}

// masters are the servers that live.
func masters(ctx context.Context, client *clientv3.Client) ([]netip.AddrPort, error) {
	r, err := client.Get(ctx, mastersPrefix, clientv3.WithPrefix(), clientv3.WithKeysOnly())
	if err != nil {
		return nil, fmt.Errorf("asking for the servers: %w", err)
	}
	var list []netip.AddrPort
	for _, kv := range r.Kvs {
		if master, err := netip.ParseAddrPort(strings.TrimPrefix(string(kv.Key), mastersPrefix)); err == nil {
			list = append(list, master)
		}
	}
	return list, nil
}

// followMasters calls changed once it will hear of all changes of the servers that live, and for each, until ctx ends.
func followMasters(ctx context.Context, client *clientv3.Client, changed func()) error {
	watch := client.Watch(clientv3.WithRequireLeader(ctx), mastersPrefix, clientv3.WithPrefix(), clientv3.WithCreatedNotify())
	for r := range watch {
		if err := r.Err(); err != nil {
			return fmt.Errorf("following the servers: %w", err)
		}
		changed()
	}
	if ctx.Err() != nil {
		return nil
	}
	return errors.New("following the servers: the watch has ended")
}
