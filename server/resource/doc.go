// Package resource is the verbs on objects: create, get, list, watch, update, patch, apply and delete, with
// admission, defaulting, validation, field management, finalizers and preconditions, over a store. HTTP handlers,
// controllers and the scheduler all write through it, so that the same rules hold for each; what differs between
// kinds is declared in their kind.Kind.
//
//	api := resource.New(store, kind.All(), resource.WithTypeConverter(documents.TypeConverter))
//	pods := resource.Target{Kind: kind.Pod, Namespace: "default", User: "jane"}
//	item, err := api.Create(ctx, pods, pod, metav1.CreateOptions{})
//	list, err := api.List(ctx, pods, metav1.ListOptions{LabelSelector: "app=web"})
//
// A write goes: read what is there (from the cache) → compute what is wanted → default → track who owns which
// field → admit → prepare → validate → encode → one store.Commit with the revision that was read as its
// precondition; when somebody else was faster, again. A write that changes nothing is not made.
//
// Reads give stored bytes (store.Item); nothing is decoded unless a selector asks for it.
//
// Errors are *errors.StatusError of k8s.io/apimachinery/pkg/api/errors, with the reasons, messages and causes that
// Kubernetes v1.37 gives; only a Watch returns its context's own error when that ends.
package resource
