package scheduler

import (
	"fmt"
	"math"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/ptr"

	"pgregory.net/rapid"
)

// naive decides about rules between pods as their definition says, over all pods and nodes each time.
type naive struct{ c *cluster }

// each calls fn for every placed pod whose node is there.
func (v naive) each(fn func(p *corev1.Pod, n *corev1.Node)) {
	for _, at := range v.c.pods {
		if at.node.node != nil {
			fn(at.info.pod, at.node.node)
		}
	}
}

func selected(s *metav1.LabelSelector, p *corev1.Pod) bool {
	selector, _ := metav1.LabelSelectorAsSelector(s)
	return selector.Matches(labels.Set(p.Labels))
}

// spreadFits is the rule of constraints that are conditions.
func (v naive) spreadFits(pod *corev1.Pod, at *corev1.Node) bool {
	var hard []corev1.TopologySpreadConstraint
	for _, t := range pod.Spec.TopologySpreadConstraints {
		if t.WhenUnsatisfiable == corev1.DoNotSchedule {
			hard = append(hard, t)
		}
	}
	for _, t := range hard {
		here, ok := at.Labels[t.TopologyKey]
		if !ok {
			return false
		}
		counts := v.domains(pod, t, hard)
		least := math.MaxInt
		for _, n := range counts {
			least = min(least, n)
		}
		if len(counts) < int(ptr.Deref(t.MinDomains, 1)) {
			least = 0
		}
		self := 0
		if selected(t.LabelSelector, pod) {
			self = 1
		}
		if counts[here]+self-least > int(t.MaxSkew) {
			return false
		}
	}
	return true
}

// domains counts the pods of a constraint by domain, over the nodes that have the labels of all of them.
func (v naive) domains(pod *corev1.Pod, t corev1.TopologySpreadConstraint, all []corev1.TopologySpreadConstraint) map[string]int {
	counts := map[string]int{}
	domain := func(n *corev1.Node) (string, bool) {
		for _, o := range all {
			if _, ok := n.Labels[o.TopologyKey]; !ok {
				return "", false
			}
		}
		if required := newPodInfo(pod).required; required != nil && ptr.Deref(t.NodeAffinityPolicy, corev1.NodeInclusionPolicyHonor) == corev1.NodeInclusionPolicyHonor {
			if ok, _ := required.Match(n); !ok {
				return "", false
			}
		}
		if ptr.Deref(t.NodeTaintsPolicy, corev1.NodeInclusionPolicyIgnore) == corev1.NodeInclusionPolicyHonor && untolerated(pod, n) != nil {
			return "", false
		}
		return n.Labels[t.TopologyKey], true
	}
	for _, n := range v.c.nodes {
		if value, ok := domain(n.node); ok {
			counts[value] += 0
		}
	}
	v.each(func(p *corev1.Pod, n *corev1.Node) {
		if value, ok := domain(n); ok && p.Namespace == pod.Namespace && p.DeletionTimestamp == nil && selected(t.LabelSelector, p) {
			counts[value]++
		}
	})
	return counts
}

func (v naive) about(term corev1.PodAffinityTerm, owner, p *corev1.Pod) bool {
	inSpace := slices.Contains(term.Namespaces, p.Namespace)
	if term.NamespaceSelector != nil {
		selector, _ := metav1.LabelSelectorAsSelector(term.NamespaceSelector)
		inSpace = inSpace || selector.Matches(labels.Set(v.c.namespaceLabels(p.Namespace)))
	} else if len(term.Namespaces) == 0 {
		inSpace = owner.Namespace == p.Namespace
	}
	return inSpace && selected(term.LabelSelector, p)
}

// together tells whether two nodes are one place for a term.
func together(term corev1.PodAffinityTerm, a, b *corev1.Node) bool {
	x, ok := a.Labels[term.TopologyKey]
	y, has := b.Labels[term.TopologyKey]
	return ok && has && x == y
}

// affinityRefusal is the rule of required terms.
func (v naive) affinityRefusal(pod *corev1.Pod, at *corev1.Node) string {
	near, avoid := required(pod)
	anywhere, satisfied := false, true
	for _, term := range near {
		here := false
		v.each(func(p *corev1.Pod, n *corev1.Node) {
			for _, all := range near {
				if !v.about(all, pod, p) {
					return
				}
			}
			_, labelled := n.Labels[term.TopologyKey]
			anywhere = anywhere || labelled
			here = here || together(term, n, at)
		})
		if _, ok := at.Labels[term.TopologyKey]; !ok {
			return missesOthers
		}
		satisfied = satisfied && here
	}
	if !satisfied {
		for _, term := range near {
			if anywhere || !v.about(term, pod, pod) {
				return missesOthers
			}
		}
	}
	refusal := ""
	v.each(func(p *corev1.Pod, n *corev1.Node) {
		for _, term := range avoid {
			if v.about(term, pod, p) && together(term, n, at) {
				refusal = avoidsOthers
			}
		}
		_, theirs := required(p)
		for _, term := range theirs {
			if refusal == "" && v.about(term, p, pod) && together(term, n, at) {
				refusal = othersAvoidIt
			}
		}
	})
	return refusal
}

func required(p *corev1.Pod) (near, avoid []corev1.PodAffinityTerm) {
	if a := p.Spec.Affinity; a != nil {
		if a.PodAffinity != nil {
			near = a.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution
		}
		if a.PodAntiAffinity != nil {
			avoid = a.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution
		}
	}
	return near, avoid
}

// pulls is the rule of preferred terms, before it is scaled.
func (v naive) pulls(pod *corev1.Pod, at *corev1.Node) (sum int64) {
	wishes := func(owner, other *corev1.Pod, n *corev1.Node) {
		a := owner.Spec.Affinity
		if a == nil {
			return
		}
		add := func(all []corev1.WeightedPodAffinityTerm, sign int64) {
			for _, w := range all {
				if v.about(w.PodAffinityTerm, owner, other) && together(w.PodAffinityTerm, n, at) {
					sum += sign * int64(w.Weight)
				}
			}
		}
		if a.PodAffinity != nil {
			add(a.PodAffinity.PreferredDuringSchedulingIgnoredDuringExecution, 1)
		}
		if a.PodAntiAffinity != nil {
			add(a.PodAntiAffinity.PreferredDuringSchedulingIgnoredDuringExecution, -1)
		}
	}
	v.each(func(p *corev1.Pod, n *corev1.Node) {
		wishes(pod, p, n)
		wishes(p, pod, n)
		near, _ := required(p)
		for _, term := range near {
			if v.about(term, p, pod) && together(term, n, at) {
				sum++
			}
		}
	})
	return sum
}

// spreadRaw is the rule of constraints that are wishes, before it is scaled; all nodes are compared.
func (v naive) spreadRaw(pod *corev1.Pod, at *corev1.Node) int64 {
	var soft []corev1.TopologySpreadConstraint
	for _, t := range pod.Spec.TopologySpreadConstraints {
		if t.WhenUnsatisfiable == corev1.ScheduleAnyway {
			soft = append(soft, t)
		}
	}
	sum := 0.0
	for _, t := range soft {
		whole := 0
		values := map[string]bool{}
		for _, n := range v.c.nodes {
			has := true
			for _, o := range soft {
				_, ok := n.node.Labels[o.TopologyKey]
				has = has && ok
			}
			if has {
				whole++
				values[n.node.Labels[t.TopologyKey]] = true
			} else if n.node == at {
				return 0
			}
		}
		size, pods := len(values), v.domains(pod, t, soft)[at.Labels[t.TopologyKey]]
		if t.TopologyKey == corev1.LabelHostname {
			size, pods = whole, 0
			v.each(func(p *corev1.Pod, n *corev1.Node) {
				if n == at && p.Namespace == pod.Namespace && p.DeletionTimestamp == nil && selected(t.LabelSelector, p) {
					pods++
				}
			})
		}
		sum += float64(pods)*math.Log(float64(size+2)) + float64(t.MaxSkew-1)
	}
	return int64(math.Round(sum))
}

// drawnPod has random labels and rules.
func drawnPod(t *rapid.T, name string) *corev1.Pod {
	app := rapid.SampledFrom([]string{"web", "db"})
	key := rapid.SampledFrom([]string{corev1.LabelHostname, zone, "rack"})
	term := func() corev1.PodAffinityTerm {
		one := terms(key.Draw(t, "key"), app.Draw(t, "app"), nil)[0]
		switch rapid.IntRange(0, 3).Draw(t, "whose") {
		case 0:
			one.NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"name": "shop"}}
		case 1:
			one.Namespaces = []string{"shop", "default"}
		}
		return one
	}
	some := func(what string, add func()) {
		for range max(0, rapid.IntRange(-3, 2).Draw(t, what)) {
			add()
		}
	}
	p := testPod(name, labelledApp(app.Draw(t, "own")), in(rapid.SampledFrom([]string{"default", "shop"}).Draw(t, "namespace")))
	near, avoid := &corev1.PodAffinity{}, &corev1.PodAntiAffinity{}
	p.Spec.Affinity = &corev1.Affinity{PodAffinity: near, PodAntiAffinity: avoid}
	some("near", func() {
		near.RequiredDuringSchedulingIgnoredDuringExecution = append(near.RequiredDuringSchedulingIgnoredDuringExecution, term())
	})
	some("avoid", func() {
		avoid.RequiredDuringSchedulingIgnoredDuringExecution = append(avoid.RequiredDuringSchedulingIgnoredDuringExecution, term())
	})
	weighted := func() corev1.WeightedPodAffinityTerm {
		return corev1.WeightedPodAffinityTerm{Weight: rapid.Int32Range(1, 100).Draw(t, "weight"), PodAffinityTerm: term()}
	}
	some("wish", func() {
		near.PreferredDuringSchedulingIgnoredDuringExecution = append(near.PreferredDuringSchedulingIgnoredDuringExecution, weighted())
	})
	some("dislike", func() {
		avoid.PreferredDuringSchedulingIgnoredDuringExecution = append(avoid.PreferredDuringSchedulingIgnoredDuringExecution, weighted())
	})
	some("spread", func() {
		p.Spec.TopologySpreadConstraints = append(p.Spec.TopologySpreadConstraints, drawnSpread(t, key, app))
	})
	if rapid.Bool().Draw(t, "selects nodes") {
		p.Spec.NodeSelector = map[string]string{"rack": "1"}
	}
	return p
}

func labelledApp(name string) func(*corev1.Pod) { return app(name) }

func drawnSpread(t *rapid.T, key, app *rapid.Generator[string]) corev1.TopologySpreadConstraint {
	policy := func(name string) *corev1.NodeInclusionPolicy {
		return rapid.SampledFrom([]*corev1.NodeInclusionPolicy{nil, ptr.To(corev1.NodeInclusionPolicyHonor), ptr.To(corev1.NodeInclusionPolicyIgnore)}).Draw(t, name)
	}
	c := corev1.TopologySpreadConstraint{
		TopologyKey: key.Draw(t, "key"), MaxSkew: rapid.Int32Range(1, 3).Draw(t, "skew"), LabelSelector: selecting(app.Draw(t, "app")),
		WhenUnsatisfiable:  rapid.SampledFrom([]corev1.UnsatisfiableConstraintAction{corev1.DoNotSchedule, corev1.ScheduleAnyway}).Draw(t, "when"),
		NodeAffinityPolicy: policy("affinity"), NodeTaintsPolicy: policy("taints"),
	}
	if c.WhenUnsatisfiable == corev1.DoNotSchedule {
		c.MinDomains = rapid.SampledFrom([]*int32{nil, ptr.To[int32](2), ptr.To[int32](4)}).Draw(t, "domains")
	}
	return c
}

func drawnNode(t *rapid.T, name string) *corev1.Node {
	n := testNode(name)
	if v := rapid.IntRange(0, 3).Draw(t, "zone"); v > 0 {
		n.Labels[zone] = fmt.Sprint(v)
	}
	if v := rapid.IntRange(0, 2).Draw(t, "rack"); v > 0 {
		n.Labels["rack"] = fmt.Sprint(v)
	}
	if rapid.IntRange(0, 4).Draw(t, "taint") == 0 {
		tainted("x", "", corev1.TaintEffectNoSchedule)(n)
	}
	return n
}

// TestRulesAsDefined plays random histories; what is counted change by change must be what counting everything gives.
func TestRulesAsDefined(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spaces := map[string]map[string]string{"shop": {"name": "shop"}}
		c := newCluster(func(name string) map[string]string { return spaces[name] })
		node := func() string { return fmt.Sprint("n", rapid.IntRange(0, 5).Draw(t, "node")) }
		for i := range rapid.IntRange(1, 30).Draw(t, "steps") {
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			case 0, 1, 2:
				c.setNode(drawnNode(t, node()))
			case 3:
				c.removeNode(node())
			case 4:
				c.removePod(uid(fmt.Sprint("p", rapid.IntRange(0, i).Draw(t, "gone"))))
			case 5:
				if at := c.pods[uid(fmt.Sprint("p", rapid.IntRange(0, i).Draw(t, "ending")))]; at != nil {
					ending := at.info.pod.DeepCopy()
					ending.DeletionTimestamp = ptr.To(metav1.Now())
					c.place(newPodInfo(ending), at.node.name)
				}
			case 6:
				newDecision(c, standard, newPodInfo(drawnPod(t, "looks"))) // so that some is counted already
			default:
				c.place(newPodInfo(drawnPod(t, fmt.Sprint("p", i))), node())
			}
		}
		compareWithNaive(t, c, newPodInfo(drawnPod(t, "new")))
	})
}

func compareWithNaive(t *rapid.T, c *cluster, p *podInfo) {
	d, v := newDecision(c, standard, p), naive{c}
	pulled, wished := d.countPulls(c.nodes), d.countWishes(c.nodes)
	for _, n := range c.nodes {
		if got, want := checkSpread(d, n), v.spreadFits(p.pod, n.node); got != want {
			t.Errorf("spread on %s: %t, must be %t", n.name, got, want)
		}
		if got, want := podAffinityRefusal(d, n), v.affinityRefusal(p.pod, n.node); got != want {
			t.Errorf("affinity on %s: %q, must be %q", n.name, got, want)
		}
		if want := v.pulls(p.pod, n.node); pulled && scorePodAffinity(d, n) != want || !pulled && want != 0 {
			t.Errorf("pull on %s: %d, must be %d", n.name, scorePodAffinity(d, n), want)
		}
		if want := v.spreadRaw(p.pod, n.node); wished && scoreSpread(d, n) != want {
			t.Errorf("spread's score on %s: %d, must be %d", n.name, scoreSpread(d, n), want)
		}
	}
}
