package scheduler

import (
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/types"
)

// state is the cluster and the queue, and which pods are between the two: placed, but not yet bound. One lock
// covers a whole decision and everything that a change does, so no change falls between being refused and
// being parked.
type state struct {
	profiles map[string]*profile // by the names that pods ask for

	mu      sync.Mutex
	cluster *cluster
	queue   *queue
	binding map[types.UID]*waiter
	gated   map[types.UID]bool      // pods that are not to be placed yet
	evicted map[types.UID]types.UID // pods that are to go, and not yet on their way: by the pod that needs their place
	budgets func() []*policyv1.PodDisruptionBudget
	wake    chan struct{} // holds one value when there may be something to try
}

func newState(profiles []*profile, namespaceLabels func(string) map[string]string) *state {
	byName := make(map[string]*profile, len(profiles))
	for _, p := range profiles {
		byName[p.name] = p
	}
	return &state{
		profiles: byName,
		cluster:  newCluster(namespaceLabels),
		queue:    newQueue(),
		binding:  make(map[types.UID]*waiter),
		gated:    make(map[types.UID]bool),
		evicted:  make(map[types.UID]types.UID),
		budgets:  func() []*policyv1.PodDisruptionBudget { return nil },
		wake:     make(chan struct{}, 1),
	}
}

// schedules tells whether one of the profiles has a name.
func (s *state) schedules(name string) bool { return s.profiles[name] != nil }

func (s *state) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// happened wakes what a change may help.
func (s *state) happened(h happening) {
	s.queue.happened(h.change, func(w *waiter) bool {
		return s.cluster.helps(s.profiles[w.info.pod.Spec.SchedulerName], w, h)
	})
	s.signal()
}

// podChanged takes a pod's state: on a node, waiting for one, or neither.
func (s *state) podChanged(pod *corev1.Pod) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.gated, pod.UID)
	switch {
	case pod.Spec.NodeName != "" && finished(pod):
		s.forget(pod.UID)
	case pod.Spec.NodeName != "":
		s.bound(pod)
	case s.binding[pod.UID] != nil: // its binding is on the way, or will tell that it could not be made
	case waiting(pod, s.schedules):
		info := newPodInfo(pod)
		s.followNomination(info)
		s.queue.add(info)
		s.signal()
	default:
		s.queue.remove(pod.UID)
		s.cluster.unnominate(pod.UID)
		if gated(pod) && s.schedules(pod.Spec.SchedulerName) {
			s.gated[pod.UID] = true
		}
	}
}

func (s *state) bound(pod *corev1.Pod) {
	delete(s.binding, pod.UID)
	s.queue.remove(pod.UID)
	s.cluster.unnominate(pod.UID)
	if pod.DeletionTimestamp != nil {
		delete(s.evicted, pod.UID)
	}
	old, now := s.cluster.pods[pod.UID], newPodInfo(pod)
	var before *podInfo
	if old != nil {
		before = old.info
	}
	s.cluster.place(now, pod.Spec.NodeName)
	if before == nil || before.class != now.class {
		s.happened(happening{change: podPlaced, pod: now})
	}
	if before != nil && (before.class != now.class || before.ends() != now.ends() || before.requests.anyMoreThan(&now.requests)) {
		s.happened(happening{change: podLeft, pod: before})
	}
}

// forget frees what a pod took.
func (s *state) forget(uid types.UID) {
	delete(s.gated, uid)
	s.queue.remove(uid)
	s.cluster.unnominate(uid)
	delete(s.binding, uid)
	delete(s.evicted, uid)
	if at := s.cluster.pods[uid]; at != nil {
		s.cluster.removePod(uid)
		s.happened(happening{change: podLeft, pod: at.info})
	}
}

func (s *state) podDeleted(pod *corev1.Pod) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(pod.UID)
}

func (s *state) nodeChanged(node *corev1.Node) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cluster.setNode(node) {
		s.happened(happening{change: nodeChanged, node: s.cluster.byName[node.Name]})
	}
}

func (s *state) nodeDeleted(node *corev1.Node) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cluster.removeNode(node.Name)
	s.happened(happening{change: nodeChanged})
}

// outcome is what came of trying one pod.
type outcome struct {
	pod     *corev1.Pod
	node    string         // empty: refused
	refused *refusal       // nil: placed
	volumes []volumeChoice // what the pod's claims need before it is bound

	tried, queued time.Time // when this attempt began, and when the pod was first to be tried
	attempts      int       // this one counted

	nominated string        // the node that a refused pod is nominated for
	victims   []*corev1.Pod // who has to go from there
	displaced []*corev1.Pod // who is nominated for it no longer
}

// try decides about the most urgent pod: it counts on its node at once, or is parked. ok is false when no pod
// is to be tried now.
func (s *state) try(now time.Time) (o outcome, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.queue.pop(now)
	if w == nil {
		return outcome{}, false
	}
	profile := s.profiles[w.info.pod.Spec.SchedulerName]
	node, refused := s.cluster.decide(profile, w.info)
	if refused != nil {
		o = outcome{pod: w.info.pod, refused: refused, tried: now, queued: w.added, attempts: w.attempts}
		s.makeRoom(profile, w.info, &o)
		s.queue.park(w, refused.wake, refused.filters)
		return o, true
	}
	volumes, _ := s.cluster.scratch.decision.volumesOn(node) // of the decision that has just been made
	s.cluster.unnominate(w.info.uid)
	s.cluster.place(w.info, node.name)
	s.binding[w.info.uid] = w
	s.happened(happening{change: podPlaced, pod: w.info})
	return outcome{pod: w.info.pod, node: node.name, volumes: volumes, tried: now, queued: w.added, attempts: w.attempts}, true
}

// storageChanged wakes what a change of claims or volumes may help.
func (s *state) storageChanged() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.happened(happening{change: storageChanged})
}

// namespacesChanged takes in that rules by the labels of namespaces are about others now.
func (s *state) namespacesChanged() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cluster.namespacesChanged()
}

// unbound takes back a placement that could not be written. current is the pod as it is now, nil when gone.
func (s *state) unbound(uid types.UID, current *corev1.Pod) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.binding[uid]
	if w == nil {
		return // a change has told already what became of it
	}
	delete(s.binding, uid)
	s.queue.remove(uid)
	placed := w.info
	s.cluster.removePod(uid)
	if current != nil && current.UID == uid && waiting(current, s.schedules) {
		w.info = newPodInfo(current)
		s.queue.known[uid] = w
		s.queue.again(w)
	}
	s.happened(happening{change: podLeft, pod: placed})
}

// next is how long until a pod that backs off, or has been parked for long, is to be tried.
func (s *state) next(now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue.flush(now)
	if at, ok := s.queue.next(); ok {
		return min(max(at.Sub(now), time.Millisecond), time.Minute)
	}
	return time.Minute
}
