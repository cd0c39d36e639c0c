package scheduler

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// preemption is a node on which a pod finds its place once others, of lower priority, have gone.
type preemption struct {
	node    string
	victims []*podInfo // the most important first
	broken  int        // victims whose going breaks a disruption budget
}

const noVictims = "No preemption victims found for incoming pod"

// preempt looks for the node where making place for a pod does the least harm. The candidates are the nodes that refuse
// it for something that pods there take. Where there is none, why is told in kube-scheduler's words. It changes nothing.
func (c *cluster) preempt(pr *profile, p *podInfo, candidates []*nodeInfo, budgets []*policyv1.PodDisruptionBudget) (best *preemption, why string) {
	reasons := map[string]int{}
	if hopeless := len(c.nodes) - len(candidates); hopeless > 0 {
		reasons["Preemption is not helpful for scheduling"] = hopeless
	}
	if len(candidates) > 0 && !c.anyBelow(p.priority) {
		reasons[noVictims] = len(candidates)
		candidates = nil
	}
	found, enough := 0, pr.enoughCandidates(len(candidates))
	for i := 0; i < len(candidates) && found < enough; i++ {
		n := candidates[(c.start+i)%len(candidates)]
		one, refusals := c.tryWithout(pr, p, n, budgets)
		for _, reason := range refusals {
			reasons[reason]++
		}
		if one == nil {
			continue
		}
		found++
		if best == nil || one.harm().less(best.harm()) {
			best = one
		}
	}
	if best != nil {
		return best, ""
	}
	return nil, unavailable(len(c.nodes), reasons)
}

// tryWithout finds out whether a pod fits on a node without those of lower priority, and then which of them can stay:
// first those that a disruption budget protects, the more important before the less.
func (c *cluster) tryWithout(pr *profile, p *podInfo, n *nodeInfo, budgets []*policyv1.PodDisruptionBudget) (*preemption, []string) {
	lower := n.lowerThan(p.priority)
	if len(lower) == 0 {
		return nil, []string{noVictims}
	}
	for _, q := range lower {
		c.removePod(q.uid)
	}
	result := &preemption{node: n.name}
	defer func() {
		for _, q := range result.victims {
			c.place(q, n.name)
		}
	}()
	if f, reasons := newDecision(c, pr, p).judge(n); f != nil {
		result.victims = lower // they come back
		return nil, reasons
	}
	protected, others := protect(lower, budgets)
	result.victims = c.spare(pr, p, n, protected)
	result.broken = len(result.victims)
	result.victims = append(result.victims, c.spare(pr, p, n, others)...)
	slices.SortFunc(result.victims, byImportance)
	return result, nil
}

// spare brings back, one by one, those beside whom a pod fits, and returns the others.
func (c *cluster) spare(pr *profile, p *podInfo, n *nodeInfo, pods []*podInfo) (victims []*podInfo) {
	for _, q := range pods {
		c.place(q, n.name)
		if newDecision(c, pr, p).refusedBy(n) != nil {
			c.removePod(q.uid)
			victims = append(victims, q)
		}
	}
	return victims
}

// lowerThan are the node's pods of lower priority, the most important first.
func (n *nodeInfo) lowerThan(priority int32) []*podInfo {
	var lower []*podInfo
	for _, q := range n.pods {
		if q.priority < priority {
			lower = append(lower, q)
		}
	}
	slices.SortFunc(lower, byImportance)
	return lower
}

// byImportance orders by priority, then by how long pods have run.
func byImportance(a, b *podInfo) int {
	return cmp.Or(cmp.Compare(b.priority, a.priority), startOf(a).Compare(startOf(b)), cmp.Compare(a.uid, b.uid))
}

// startOf is when a pod started; one that has not yet is younger than all that have.
func startOf(p *podInfo) time.Time {
	if t := p.pod.Status.StartTime; t != nil {
		return t.Time
	}
	return time.Unix(math.MaxInt32, 0)
}

// protect sorts out the pods whose going breaks a disruption budget, when all of them go, in their order.
func protect(pods []*podInfo, budgets []*policyv1.PodDisruptionBudget) (protected, others []*podInfo) {
	allowed := make([]int32, len(budgets))
	for i, b := range budgets {
		allowed[i] = b.Status.DisruptionsAllowed
	}
	for _, p := range pods {
		breaks := false
		for i, b := range budgets {
			if _, counted := b.Status.DisruptedPods[p.pod.Name]; counted || !covers(b, p.pod) {
				continue
			}
			allowed[i]--
			breaks = breaks || allowed[i] < 0
		}
		if breaks {
			protected = append(protected, p)
		} else {
			others = append(others, p)
		}
	}
	return protected, others
}

func covers(b *policyv1.PodDisruptionBudget, p *corev1.Pod) bool {
	if b.Namespace != p.Namespace || len(p.Labels) == 0 {
		return false
	}
	selector, err := metav1.LabelSelectorAsSelector(b.Spec.Selector)
	return err == nil && !selector.Empty() && selector.Matches(labels.Set(p.Labels))
}

// harm is what a preemption does, the worst first.
type harm struct {
	broken  int
	highest int32
	sum     int64
	pods    int
	since   time.Time // the oldest of the victims with the highest priority started then: the later, the better
}

func (p *preemption) harm() harm {
	h := harm{broken: p.broken, highest: math.MinInt32, pods: len(p.victims)}
	for _, v := range p.victims {
		h.sum += int64(v.priority) + math.MaxInt32 + 1 // so that fewer pods are better, also of priorities below zero
	}
	if len(p.victims) > 0 { // sorted: the first is the oldest with the highest priority
		h.highest, h.since = p.victims[0].priority, startOf(p.victims[0])
	}
	return h
}

func (h harm) less(o harm) bool {
	return cmp.Or(cmp.Compare(h.broken, o.broken), cmp.Compare(h.highest, o.highest), cmp.Compare(h.sum, o.sum),
		cmp.Compare(h.pods, o.pods), o.since.Compare(h.since)) < 0
}

// String is for logs and tests.
func (p *preemption) String() string {
	if p == nil {
		return "none"
	}
	names := make([]string, len(p.victims))
	for i, v := range p.victims {
		names[i] = v.pod.Name
	}
	return fmt.Sprintf("%s without %v", p.node, names)
}
