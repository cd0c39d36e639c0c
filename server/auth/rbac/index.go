package rbac

import (
	"context"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/watch"

	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

// Index is the cluster's roles and bindings, arranged by who has them. Make it with NewIndex, keep it with Run.
// Its methods may be called concurrently.
type Index struct {
	mu       sync.RWMutex
	roles    map[place][]rbacv1.PolicyRule
	bindings map[place]*binding
	held     map[holder][]grant
}

// place is where a role or binding is; the namespace of those of the whole cluster is empty.
type place struct{ namespace, name string }

// holder is a user or group with what bindings in one namespace, or in the whole cluster, give them.
type holder struct {
	namespace string
	group     bool
	name      string
}

// binding is one binding as requests are checked against it.
type binding struct {
	place
	role     rbacv1.RoleRef
	subjects []rbacv1.Subject
}

// grant is a binding to one of its subjects.
type grant struct {
	*binding
	reason string // what an access review is told
}

// NewIndex returns an index in which nobody may do anything.
func NewIndex() *Index {
	return &Index{
		roles:    map[place][]rbacv1.PolicyRule{},
		bindings: map[place]*binding{},
		held:     map[holder][]grant{},
	}
}

// Run keeps the index up to date until ctx ends; synced is called once, when it holds all there is. It returns nil
// when ctx ends.
func (x *Index) Run(ctx context.Context, api *resource.API, synced func()) error {
	g, ctx := errgroup.WithContext(ctx)
	var listed sync.WaitGroup
	for _, f := range []struct {
		kind *kind.Kind
		take func(store.Event, any)
	}{
		{kind.Role, x.takeRole},
		{kind.ClusterRole, x.takeRole},
		{kind.RoleBinding, x.takeBinding},
		{kind.ClusterRoleBinding, x.takeBinding},
	} {
		listed.Add(1)
		g.Go(func() error {
			return api.Follow(ctx, f.kind, listed.Done, func(e store.Event) {
				if e.Type == watch.Deleted {
					f.take(e, nil)
				} else if obj, err := e.Item.Object(); err == nil {
					f.take(e, obj)
				} else {
					f.take(e, nil) // what cannot be read gives nobody anything
				}
			})
		})
	}
	everything := make(chan struct{})
	go func() {
		listed.Wait()
		close(everything)
	}()
	select {
	case <-everything:
		synced()
	case <-ctx.Done():
	}
	return g.Wait()
}

func (x *Index) takeRole(e store.Event, obj any) {
	at := place{e.Item.Key.Namespace, e.Item.Key.Name}
	switch role := obj.(type) {
	case *rbacv1.Role:
		x.setRole(at, role.Rules)
	case *rbacv1.ClusterRole:
		x.setRole(at, role.Rules)
	default:
		x.mu.Lock()
		defer x.mu.Unlock()
		delete(x.roles, at)
	}
}

func (x *Index) setRole(at place, rules []rbacv1.PolicyRule) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.roles[at] = rules
}

func (x *Index) takeBinding(e store.Event, obj any) {
	b := &binding{place: place{e.Item.Key.Namespace, e.Item.Key.Name}}
	switch o := obj.(type) {
	case *rbacv1.RoleBinding:
		b.role, b.subjects = o.RoleRef, o.Subjects
	case *rbacv1.ClusterRoleBinding:
		b.role, b.subjects = o.RoleRef, o.Subjects
	}
	x.setBinding(b)
}

// setBinding puts a binding in the place of its former state; one without subjects gives nobody anything.
func (x *Index) setBinding(b *binding) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if old := x.bindings[b.place]; old != nil {
		for h := range old.grants() {
			x.held[h] = slices.DeleteFunc(x.held[h], func(g grant) bool { return g.binding == old })
			if len(x.held[h]) == 0 {
				delete(x.held, h)
			}
		}
		delete(x.bindings, b.place)
	}
	if len(b.subjects) == 0 {
		return
	}
	x.bindings[b.place] = b
	for h, g := range b.grants() {
		x.held[h] = append(x.held[h], g)
	}
}
