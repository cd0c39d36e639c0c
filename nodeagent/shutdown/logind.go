package shutdown

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/godbus/dbus/v5"
)

// The names of logind and systemd on the system's bus (org.freedesktop.login1(5)).
const (
	logind        = "org.freedesktop.login1"
	logindPath    = dbus.ObjectPath("/org/freedesktop/login1")
	logindManager = logind + ".Manager"
	systemd       = "org.freedesktop.systemd1"
	systemdPath   = dbus.ObjectPath("/org/freedesktop/systemd1")
)

// overrides is where logind's settings are overridden, and the file of ours among them.
const (
	overrides    = "/etc/systemd/logind.conf.d"
	overrideFile = "99-leme.conf"
)

// bus is a connection to logind.
type bus struct {
	conn    *dbus.Conn
	signals chan *dbus.Signal
	confDir string
}

// connect speaks to logind on the bus at an address; empty: the system's.
func connect(ctx context.Context, address, confDir string) (*bus, error) {
	conn, err := dial(ctx, address)
	if err != nil {
		return nil, fmt.Errorf("connecting to the system's bus: %w", err)
	}
	b := &bus{conn: conn, signals: make(chan *dbus.Signal, 8), confDir: confDir}
	conn.Signal(b.signals)
	err = conn.AddMatchSignalContext(ctx, dbus.WithMatchInterface(logindManager), dbus.WithMatchMember("PrepareForShutdown"), dbus.WithMatchObjectPath(logindPath))
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("listening for shutdowns: %w", err)
	}
	return b, nil
}

func dial(ctx context.Context, address string) (*dbus.Conn, error) {
	if address == "" {
		return dbus.ConnectSystemBus(dbus.WithContext(ctx))
	}
	return dbus.Connect(address, dbus.WithContext(ctx))
}

func (b *bus) close() { b.conn.Close() }

// delay is for how long logind lets a shutdown be held up.
func (b *bus) delay() (time.Duration, error) {
	v, err := b.conn.Object(logind, logindPath).GetProperty(logindManager + ".InhibitDelayMaxUSec")
	if err != nil {
		return 0, fmt.Errorf("asking logind for how long a shutdown can be held up: %w", err)
	}
	micros, ok := v.Value().(uint64)
	if !ok {
		return 0, fmt.Errorf("logind's longest delay is %v, not a number", v)
	}
	return time.Duration(micros) * time.Microsecond, nil
}

// allow has logind let a shutdown be held up for this long: by a file that overrides its settings, which it is told to
// read.
func (b *bus) allow(ctx context.Context, d time.Duration) error {
	if err := os.MkdirAll(b.confDir, 0o755); err != nil {
		return fmt.Errorf("letting shutdowns be held up: %w", err)
	}
	text := fmt.Sprintf("# Leme ends the pods of this node before the machine goes down.\n[Login]\nInhibitDelayMaxSec=%.0f\n", d.Seconds())
	if err := os.WriteFile(filepath.Join(b.confDir, overrideFile), []byte(text), 0o644); err != nil {
		return fmt.Errorf("letting shutdowns be held up: %w", err)
	}
	const hangUp = int32(1)
	call := b.conn.Object(systemd, systemdPath).CallWithContext(ctx, systemd+".Manager.KillUnit", 0, "systemd-logind.service", "all", hangUp)
	if call.Err != nil {
		return fmt.Errorf("having logind read its settings: %w", call.Err)
	}
	return nil
}

// inhibit holds shutdowns up until the lock is closed, for as long as logind allows.
func (b *bus) inhibit(ctx context.Context) (lock *os.File, err error) {
	var fd dbus.UnixFD
	err = b.conn.Object(logind, logindPath).CallWithContext(ctx, logindManager+".Inhibit", 0,
		"shutdown", "leme", "Leme needs time to end the pods of this node", "delay").Store(&fd)
	if err != nil {
		return nil, fmt.Errorf("asking logind to hold shutdowns up: %w", err)
	}
	return os.NewFile(uintptr(fd), "inhibitor"), nil
}

// next waits for logind to say that a shutdown begins, or that it is called off.
func (b *bus) next(ctx context.Context) (begins bool, err error) {
	for {
		select {
		case <-ctx.Done():
			return false, ctx.Err()
		case s, ok := <-b.signals:
			if !ok {
				return false, fmt.Errorf("the system's bus is gone")
			}
			if len(s.Body) == 1 {
				if begins, ok := s.Body[0].(bool); ok {
					return begins, nil
				}
			}
		}
	}
}
