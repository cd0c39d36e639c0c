// Package store keeps objects as JSON in etcd and answers reads from a cache of them.
//
// Every object is one etcd key, /leme/<group>/<resource>/[<namespace>/]<name>, whose value is the
// object's JSON without its resourceVersion: that is the key's mod revision. One etcd watch over the
// prefix feeds the cache, which holds for each resource an immutable sorted snapshot and a list of
// events. Reads take a snapshot and copy bytes; nothing is decoded or encoded for them.
//
//	s, err := store.Open(store.Config{DataDir: dir, Decode: decode})
//	go s.Run(ctx)
//	<-s.Ready()
//	revision, err := s.Commit(ctx, store.Op{Key: key, Value: value}) // a create
//	snapshot, err := s.Consistent(ctx, key.GroupResource)
//	item := snapshot.Get(key.Namespace, key.Name)
package store
