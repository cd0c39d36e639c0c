package store

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

// startedFile stands in the data directory once embedded etcd has been ready in it. Nothing of ours is written before.
const startedFile = "started"

// setAsideUnfinished moves away what an etcd left that was killed in its very first start: its log exists but names no
// member, and etcd would wait for ever for a leader. Without the mark no object was ever written there; the directory is
// kept all the same, under another name.
func setAsideUnfinished(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, startedFile)); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	member := filepath.Join(dir, "member")
	if _, err := os.Stat(member); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if snapshots, err := filepath.Glob(filepath.Join(member, "snap", "*.snap")); err != nil || len(snapshots) > 0 {
		return err // restored from a backup: a snapshot names the members
	}
	aside := fmt.Sprintf("%s.unfinished-%d", member, time.Now().UnixNano())
	slog.Warn("etcd was ended in its first start; starting it anew", "kept", aside)
	return os.Rename(member, aside)
}

func markStarted(dir string) error {
	file, err := os.OpenFile(filepath.Join(dir, startedFile), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close(), syncDir(dir))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
