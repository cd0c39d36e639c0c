package resource

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"leme/server/kind"
)

// deletion is the next step of an object's deletion: it goes, or it stays in a new form, or (neither) all that can be
// done has been done and somebody else has to act.
type deletion struct {
	remove bool
	update runtime.Object
}

// planDeletion decides on the next step for an object, which it does not modify.
func planDeletion(k *kind.Kind, obj runtime.Object, o metav1.DeleteOptions, now time.Time) deletion {
	obj = obj.DeepCopyObject()
	m := metaOf(obj)
	if ns, ok := obj.(*corev1.Namespace); ok && (ns.DeletionTimestamp == nil || len(ns.Spec.Finalizers) > 0) {
		return terminate(ns, now)
	}
	grace, pending := gracefully(k, obj, o.GracePeriodSeconds, now)
	if pending {
		return deletion{}
	}
	m.SetFinalizers(propagate(k, m.GetFinalizers(), o))
	if len(m.GetFinalizers()) == 0 && grace == 0 {
		return deletion{remove: true}
	}
	if grace == 0 {
		leaveNow(m, now)
	}
	return deletion{update: obj}
}

// terminate starts a namespace's deletion: the namespace controller empties it, then takes its finalizer away.
func terminate(ns *corev1.Namespace, now time.Time) deletion {
	if ns.DeletionTimestamp != nil {
		return deletion{}
	}
	ns.DeletionTimestamp = timestamp(now)
	ns.Status.Phase = corev1.NamespaceTerminating
	return deletion{update: ns}
}

// gracefully gives an object's agent the time it needs, in seconds. pending: it has been given before, and no less
// is asked for now.
func gracefully(k *kind.Kind, obj runtime.Object, requested *int64, now time.Time) (grace int64, pending bool) {
	if k.GraceSeconds == nil {
		return 0, false
	}
	if requested != nil && *requested < 0 {
		requested = new(int64(1))
	}
	m := metaOf(obj)
	since := now
	if m.GetDeletionTimestamp() == nil {
		if grace = k.GraceSeconds(obj, requested); grace == 0 {
			return 0, false
		}
		countUp(m)
	} else {
		given := m.GetDeletionGracePeriodSeconds()
		if given == nil || *given == 0 {
			return 0, false
		}
		if requested == nil || *requested >= *given {
			return 0, true
		}
		grace = *requested
		since = m.GetDeletionTimestamp().Add(-time.Duration(*given) * time.Second)
	}
	m.SetDeletionTimestamp(timestamp(since.Add(time.Duration(grace) * time.Second)))
	m.SetDeletionGracePeriodSeconds(&grace)
	return grace, false
}

// leaveNow marks an object that only its finalizers keep.
func leaveNow(m metav1.Object, now time.Time) {
	if m.GetDeletionTimestamp() == nil {
		countUp(m)
	}
	if deleted := m.GetDeletionTimestamp(); deleted == nil || deleted.After(now) {
		m.SetDeletionTimestamp(timestamp(now))
	}
	m.SetDeletionGracePeriodSeconds(new(int64))
}

// countUp raises the generation of kinds that have one: a deletion is a change of what is wanted.
func countUp(m metav1.Object) {
	if m.GetGeneration() > 0 {
		m.SetGeneration(m.GetGeneration() + 1)
	}
}

func timestamp(t time.Time) *metav1.Time { return new(metav1.NewTime(t).Rfc3339Copy()) }

// propagate gives the finalizers that make the garbage collector treat the object's dependents as the options, or
// else the object's own finalizers, or else its kind, say.
func propagate(k *kind.Kind, finalizers []string, o metav1.DeleteOptions) []string {
	foreground := slices.Contains(finalizers, metav1.FinalizerDeleteDependents)
	orphan := slices.Contains(finalizers, metav1.FinalizerOrphanDependents) || k.Orphans && !foreground
	old := o.OrphanDependents //nolint:staticcheck // old clients still say it this way
	switch {
	case old != nil:
		orphan, foreground = *old, false
	case o.PropagationPolicy != nil:
		orphan = *o.PropagationPolicy == metav1.DeletePropagationOrphan
		foreground = *o.PropagationPolicy == metav1.DeletePropagationForeground
	}
	return with(with(finalizers, metav1.FinalizerOrphanDependents, orphan), metav1.FinalizerDeleteDependents, foreground)
}

// with returns the list with the name in it or not; unchanged where it is so already.
func with(list []string, name string, wanted bool) []string {
	switch has := slices.Contains(list, name); {
	case has == wanted:
		return list
	case wanted:
		return append(slices.Clone(list), name)
	}
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == name })
}

// leaves tells whether an update takes away the last thing that kept an object that is being deleted.
func leaves(updated, old runtime.Object) bool {
	m, oldMeta := metaOf(updated), metaOf(old)
	if oldMeta.GetDeletionTimestamp() == nil || len(m.GetFinalizers()) > 0 {
		return false
	}
	if ns, ok := updated.(*corev1.Namespace); ok && len(ns.Spec.Finalizers) > 0 {
		return false
	}
	grace := oldMeta.GetDeletionGracePeriodSeconds()
	return grace == nil || *grace == 0
}
