package scheduler

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

const zone = corev1.LabelTopologyZone

func app(name string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Labels = map[string]string{"app": name} }
}

func selecting(name string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{"app": name}}
}

func spreading(key string, skew int32, mutate ...func(*corev1.TopologySpreadConstraint)) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		t := corev1.TopologySpreadConstraint{TopologyKey: key, MaxSkew: skew, WhenUnsatisfiable: corev1.DoNotSchedule, LabelSelector: selecting("web")}
		for _, m := range mutate {
			m(&t)
		}
		p.Spec.TopologySpreadConstraints = append(p.Spec.TopologySpreadConstraints, t)
	}
}

func near(key, name string, mutate ...func(*corev1.PodAffinityTerm)) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.Affinity = &corev1.Affinity{PodAffinity: &corev1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: terms(key, name, mutate)}}
	}
}

func avoiding(key, name string, mutate ...func(*corev1.PodAffinityTerm)) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{RequiredDuringSchedulingIgnoredDuringExecution: terms(key, name, mutate)}}
	}
}

func terms(key, name string, mutate []func(*corev1.PodAffinityTerm)) []corev1.PodAffinityTerm {
	term := corev1.PodAffinityTerm{TopologyKey: key, LabelSelector: selecting(name)}
	for _, m := range mutate {
		m(&term)
	}
	return []corev1.PodAffinityTerm{term}
}

func in(namespace string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Namespace = namespace }
}

// TestRulesBetweenPods has two zones of nodes: a1 and a2 in one, b1 in the other, and c1 in none.
func TestRulesBetweenPods(t *testing.T) {
	type pods map[string][]*corev1.Pod // by node
	web := func(name string, mutate ...func(*corev1.Pod)) *corev1.Pod {
		return testPod(name, append([]func(*corev1.Pod){app("web")}, mutate...)...)
	}
	everywhere := func(t *corev1.PodAffinityTerm) { t.NamespaceSelector = &metav1.LabelSelector{} }
	shops := func(t *corev1.PodAffinityTerm) {
		t.NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"name": "shop"}}
	}
	for _, test := range []struct {
		name string
		on   pods
		pod  *corev1.Pod
		fits string // the nodes that take it
		says string // what one that does not says
	}{
		{"spread: the emptier zone", pods{"a1": {web("1")}}, web("p", spreading(zone, 1)), "b1", "node(s) didn't match pod topology spread constraints"},
		{"spread: the skew allows both", pods{"a1": {web("1")}}, web("p", spreading(zone, 2)), "a1 a2 b1", ""},
		{"spread: others do not count", pods{"a1": {testPod("1", app("db")), web("2", in("other"))}}, web("p", spreading(zone, 1)), "a1 a2 b1", ""},
		{"spread: by node", pods{"a1": {web("1")}, "b1": {web("2")}, "c1": {web("3")}}, web("p", spreading(corev1.LabelHostname, 1)), "a2", ""},
		{"spread: fewer domains than there must be", pods{"a1": {web("1")}, "b1": {web("2")}},
			web("p", spreading(zone, 1, func(t *corev1.TopologySpreadConstraint) { t.MinDomains = ptr.To[int32](3) })), "", ""},
		{"spread: not one that it does not count itself", pods{"a1": {web("1")}}, testPod("p", spreading(zone, 1)), "a1 a2 b1", ""},
		{"spread: only a wish", pods{"a1": {web("1")}},
			web("p", spreading(zone, 1, func(t *corev1.TopologySpreadConstraint) { t.WhenUnsatisfiable = corev1.ScheduleAnyway })), "a1 a2 b1 c1", ""},
		{"spread: by the same label only", pods{"a1": {web("1", func(p *corev1.Pod) { p.Labels["v"] = "1" })}},
			web("p", func(p *corev1.Pod) { p.Labels["v"] = "2" }, spreading(zone, 1, func(t *corev1.TopologySpreadConstraint) { t.MatchLabelKeys = []string{"v"} })), "a1 a2 b1", ""},
		{"near: the same zone", pods{"a1": {web("1")}}, testPod("p", near(zone, "web")), "a1 a2", "node(s) didn't match pod affinity rules"},
		{"near: the same node", pods{"a1": {web("1")}}, testPod("p", near(corev1.LabelHostname, "web")), "a1", ""},
		{"near: there is none", nil, testPod("p", near(zone, "web")), "", "node(s) didn't match pod affinity rules"},
		{"near: the first of its kind", nil, web("p", near(zone, "web")), "a1 a2 b1", ""},
		{"near: not in another namespace", pods{"a1": {web("1", in("shop"))}}, testPod("p", near(zone, "web")), "", ""},
		{"near: in any namespace", pods{"a1": {web("1", in("shop"))}}, testPod("p", near(zone, "web", everywhere)), "a1 a2", ""},
		{"near: in a namespace with that label", pods{"a1": {web("1", in("shop"))}, "b1": {web("2", in("farm"))}}, testPod("p", near(zone, "web", shops)), "a1 a2", ""},
		{"avoid: another zone, or none", pods{"a1": {web("1")}}, testPod("p", avoiding(zone, "web")), "b1 c1", "node(s) didn't match pod anti-affinity rules"},
		{"avoid: it is avoided itself", pods{"a1": {testPod("1", avoiding(zone, "web"))}}, web("p"), "b1 c1", "node(s) didn't satisfy existing pods anti-affinity rules"},
		{"avoid: it is not the one avoided", pods{"a1": {testPod("1", avoiding(zone, "db"))}}, web("p"), "a1 a2 b1 c1", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := clusterOf(testNode("a1", labelled(zone, "a")), testNode("a2", labelled(zone, "a")), testNode("b1", labelled(zone, "b")), testNode("c1"))
			c.namespaceLabels = func(ns string) map[string]string { return map[string]string{"name": ns} }
			for node, pods := range test.on {
				for _, p := range pods {
					c.place(newPodInfo(p), node)
				}
			}
			fits, said := "", test.says == ""
			for _, v := range c.explain(standard, newPodInfo(test.pod)) {
				if len(v.Refusals) == 0 {
					fits += " " + v.Name
					continue
				}
				said = said || v.Refusals[0].Reasons[0] == test.says
			}
			if fits != "" {
				fits = fits[1:]
			}
			if fits != test.fits {
				t.Errorf("fits on %q, want %q", fits, test.fits)
			}
			if !said {
				t.Errorf("no node says %q", test.says)
			}
		})
	}
}

func TestWishesBetweenPods(t *testing.T) {
	prefer := func(p *corev1.Pod) {
		p.Spec.Affinity = &corev1.Affinity{
			PodAffinity: &corev1.PodAffinity{PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{
				{Weight: 10, PodAffinityTerm: terms(zone, "cache", nil)[0]}}},
			PodAntiAffinity: &corev1.PodAntiAffinity{PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{
				{Weight: 10, PodAffinityTerm: terms(corev1.LabelHostname, "cache", nil)[0]}}},
		}
	}
	wish := spreading(zone, 1, func(t *corev1.TopologySpreadConstraint) { t.WhenUnsatisfiable = corev1.ScheduleAnyway })
	for _, test := range []struct {
		name string
		pod  *corev1.Pod
		want string
	}{
		{"in the zone of the cache, not on its node", testPod("p", prefer), "a2"},
		{"in the zone with fewer", testPod("p", app("web"), wish), "b1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := clusterOf(testNode("a1", labelled(zone, "a")), testNode("a2", labelled(zone, "a")), testNode("b1", labelled(zone, "b")))
			c.place(newPodInfo(testPod("cache", app("cache"), asks("0", "0"))), "a1")
			c.place(newPodInfo(testPod("web", app("web"), asks("0", "0"))), "a2")
			node, refused := c.decide(standard, newPodInfo(test.pod))
			if refused != nil || node.name != test.want {
				t.Errorf("got %+v %+v: %+v", node, refused, c.explain(standard, newPodInfo(test.pod)))
			}
		})
	}
}
