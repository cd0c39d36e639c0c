package store_test

import (
	"errors"
	"fmt"
	"testing"

	"leme/server/store"
	"leme/server/store/storetest"
)

func TestFencedWrites(t *testing.T) {
	s := storetest.New(t)
	etcd := s.Client()
	made, err := etcd.Put(t.Context(), "/fence", "")
	if err != nil {
		t.Fatal(err)
	}
	fallen := 0
	ctx := store.Fenced(t.Context(), store.Fence{Key: "/fence", Revision: made.Header.Revision, Fallen: func() { fallen++ }})
	write := func(name string, expect int64) error {
		_, err := s.Commit(ctx, store.Op{Key: keyOf("default", name), Value: encoded(t, "default", name, "1"), Expect: expect})
		return err
	}
	if err := write("a", 0); err != nil {
		t.Errorf("the fence stands: %v", err)
	}
	var lost *store.ConflictError
	if err := write("a", 0); !errors.As(err, &lost) {
		t.Errorf("the fence stands, the object is there: %v", err)
	}
	all := make([]store.Op, store.MaxOps)
	for i := range all {
		name := fmt.Sprint("many-", i)
		all[i] = store.Op{Key: keyOf("default", name), Value: encoded(t, "default", name, "1")}
	}
	if _, err := s.Commit(ctx, all...); err != nil {
		t.Errorf("as many writes as a transaction takes: %v", err)
	}
	if _, err := etcd.Put(t.Context(), "/fence", "written again"); err != nil {
		t.Fatal(err)
	}
	if err := write("b", 0); err != nil || fallen != 0 {
		t.Errorf("the fence is still the same: %v", err)
	}

	if _, err := etcd.Delete(t.Context(), "/fence"); err != nil {
		t.Fatal(err)
	}
	if err := write("c", 0); !errors.Is(err, store.ErrFenced) || fallen != 1 {
		t.Errorf("the fence has gone: %v, told %d times", err, fallen)
	}
	if _, err := etcd.Put(t.Context(), "/fence", "another's"); err != nil {
		t.Fatal(err)
	}
	if err := write("a", 0); !errors.Is(err, store.ErrFenced) || fallen != 2 {
		t.Errorf("the fence is another's: %v, told %d times", err, fallen)
	}
	if it := s.Snapshot(configMaps).Get("default", "c"); it != nil {
		t.Error("written in spite of the fence")
	}
}
