package store

import (
	"context"
	"errors"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// ErrFenced is what a write hears whose fence has fallen. Nothing was written.
var ErrFenced = errors.New("store: who writes here does not hold the lease any more")

// Fence is a key of etcd that must be there, as it was made, for a write to happen. Who holds a lease puts such a key
// under it: when the lease ends the key goes, and what its holder still sends, however late, is refused by etcd itself.
type Fence struct {
	Key      string
	Revision int64  // that made the key
	Fallen   func() // is called when a write was refused; nil: nobody needs to know
}

type fenceKey struct{}

// Fenced returns a context with which everything that is written depends on the fence.
func Fenced(ctx context.Context, f Fence) context.Context {
	return context.WithValue(ctx, fenceKey{}, &f)
}

// fenceOf is the fence that writes with a context depend on, or nil.
func fenceOf(ctx context.Context) *Fence {
	f, _ := ctx.Value(fenceKey{}).(*Fence)
	return f
}

// stands is the condition under which the fence lets writes through; look asks for what tells so afterwards.
func (f *Fence) stands() clientv3.Cmp {
	return clientv3.Compare(clientv3.CreateRevision(f.Key), "=", f.Revision)
}

func (f *Fence) look() clientv3.Op { return clientv3.OpGet(f.Key, clientv3.WithKeysOnly()) }

// fallen tells, from the answer to look, whether it was the fence that refused a transaction.
func (f *Fence) fallen(answer *clientv3.GetResponse) bool {
	if len(answer.Kvs) == 1 && answer.Kvs[0].CreateRevision == f.Revision {
		return false
	}
	if f.Fallen != nil {
		f.Fallen()
	}
	return true
}
