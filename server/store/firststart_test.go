package store_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"go.etcd.io/etcd/server/v3/etcdserver/api/snap"
	"go.etcd.io/raft/v3/raftpb"
	"go.uber.org/zap"

	"leme/server/store"
	"leme/server/store/storetest"
)

// run starts a store and returns what ends it.
func run(t *testing.T, c store.Config) (*store.Store, func()) {
	t.Helper()
	s, err := store.Open(c)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	<-s.Ready()
	return s, func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestWhatWasWrittenIsThereAfterARestart(t *testing.T) {
	config := store.Config{DataDir: t.TempDir(), NoSync: true, Decode: storetest.Decode}
	s, stop := run(t, config)
	put(t, s, keyOf("default", "a"), "1", 0)
	stop()
	s = storetest.Open(t, config)
	if it := s.Snapshot(configMaps).Get("default", "a"); it == nil || value(t, it) != "1" {
		t.Errorf("after a restart the store has %+v", it)
	}
}

// An etcd that was killed in its first start has a log that names no member.
func TestAFirstStartThatWasCutOffBeginsAnew(t *testing.T) {
	dir := t.TempDir()
	wal := filepath.Join(dir, "member", "wal")
	if err := os.MkdirAll(wal, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(wal, "0000000000000000-0000000000000000.wal"), make([]byte, 4096), 0o600); err != nil {
		t.Fatal(err)
	}
	s := storetest.Open(t, store.Config{DataDir: dir, NoSync: true, Decode: storetest.Decode})
	put(t, s, keyOf("default", "a"), "1", 0)
	if kept, err := filepath.Glob(filepath.Join(dir, "member.unfinished-*")); err != nil || len(kept) != 1 {
		t.Errorf("what was there is kept as %v (%v)", kept, err)
	}
}

// A folder that was restored from a backup has a snapshot, but no mark of ours.
func TestARestoredFolderIsKept(t *testing.T) {
	dir := t.TempDir()
	config := store.Config{DataDir: dir, NoSync: true, Decode: storetest.Decode}
	s, stop := run(t, config)
	put(t, s, keyOf("default", "a"), "1", 0)
	stop()
	index, term, voters := uint64(1), uint64(1), []uint64{1}
	err := snap.New(zap.NewNop(), filepath.Join(dir, "member", "snap")).SaveSnap(&raftpb.Snapshot{
		Data: []byte("{}"), Metadata: &raftpb.SnapshotMetadata{Index: &index, Term: &term, ConfState: &raftpb.ConfState{Voters: voters}},
	})
	if err = errors.Join(err, os.Remove(filepath.Join(dir, "started"))); err != nil {
		t.Fatal(err)
	}
	s = storetest.Open(t, config)
	if it := s.Snapshot(configMaps).Get("default", "a"); it == nil || value(t, it) != "1" {
		t.Errorf("the restored store has %+v", it)
	}
}
