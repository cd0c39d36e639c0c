package pod

import "context"

// Host is what the engine, and the machine that it runs on, can do that others cannot.
type Host struct {
	AppArmor  bool
	SELinux   bool
	PodGroups bool     // a pod's containers can be held to resources together
	Runtimes  []string // that a container can be run by, sorted
}

// judge finds out what of a pod's spec cannot be done here, whenever that has changed; false when the engine does not
// say what it can.
func (w *worker) judge(ctx context.Context) bool {
	if w.judged != nil && w.judged.Generation == w.view.Pod.Generation {
		return true
	}
	host, err := w.deps.Runtime.Host(ctx)
	if err != nil {
		w.unanswered(ctx, "the engine does not tell what it can", err)
		return false
	}
	w.judged, w.view.Host, w.view.Refused = w.view.Pod, host, Unsupported(w.view.Pod, host)
	return true
}
