package controller

import (
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1helpers "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/klog/v2"

	"leme/server/kind"
)

// daemonPlace is what a DaemonSet wants of a node: that a pod runs there, or at least that one may stay.
type daemonPlace struct{ run, stay bool }

// placesOf is what a DaemonSet wants of each node, by its node name, selector, affinity and tolerations.
func placesOf(ds *appsv1.DaemonSet, nodes []*corev1.Node) map[string]daemonPlace {
	spec := ds.Spec.Template.Spec.DeepCopy()
	tolerateTrouble(spec)
	required := nodeaffinity.NewRequiredNodeAffinity(spec.NodeSelector, spec.Affinity)
	places := make(map[string]daemonPlace, len(nodes))
	for _, node := range nodes {
		fits, err := required.Match(node)
		if err != nil || !fits || spec.NodeName != "" && spec.NodeName != node.Name {
			places[node.Name] = daemonPlace{}
			continue
		}
		stay := bears(node, spec.Tolerations, corev1.TaintEffectNoExecute)
		places[node.Name] = daemonPlace{run: stay && bears(node, spec.Tolerations, corev1.TaintEffectNoSchedule), stay: stay}
	}
	return places
}

// bears tells whether tolerations cover a node's taints of an effect.
func bears(node *corev1.Node, tolerations []corev1.Toleration, effect corev1.TaintEffect) bool {
	of := func(t *corev1.Taint) bool { return t.Effect == effect }
	_, found := corev1helpers.FindMatchingUntoleratedTaint(klog.Background(), node.Spec.Taints, tolerations, of, true)
	return !found
}

// tolerateTrouble lets daemons run on nodes that are in trouble, or closed for others.
func tolerateTrouble(spec *corev1.PodSpec) {
	add := func(key string, effect corev1.TaintEffect) {
		t := corev1.Toleration{Key: key, Operator: corev1.TolerationOpExists, Effect: effect}
		for i, own := range spec.Tolerations {
			if own.MatchToleration(&t) {
				spec.Tolerations[i] = t
				return
			}
		}
		spec.Tolerations = append(spec.Tolerations, t)
	}
	add(corev1.TaintNodeNotReady, corev1.TaintEffectNoExecute)
	add(corev1.TaintNodeUnreachable, corev1.TaintEffectNoExecute)
	add(corev1.TaintNodeDiskPressure, corev1.TaintEffectNoSchedule)
	add(corev1.TaintNodeMemoryPressure, corev1.TaintEffectNoSchedule)
	add(corev1.TaintNodePIDPressure, corev1.TaintEffectNoSchedule)
	add(corev1.TaintNodeUnschedulable, corev1.TaintEffectNoSchedule)
	if spec.HostNetwork {
		add(corev1.TaintNodeNetworkUnavailable, corev1.TaintEffectNoSchedule)
	}
}

// podOfDaemon makes the pod of a node. The scheduler puts it there, since it fits nowhere else.
func podOfDaemon(ds *appsv1.DaemonSet, node, hash string) *corev1.Pod {
	pod := podFromTemplate(&ds.Spec.Template, ds.Namespace, ds.Name, *metav1.NewControllerRef(ds, kind.DaemonSet.GroupVersionKind))
	pod.Labels = cloned(pod.Labels)
	pod.Labels[appsv1.ControllerRevisionHashLabelKey] = hash
	if n, err := strconv.ParseInt(ds.Annotations[appsv1.DeprecatedTemplateGeneration], 10, 64); err == nil {
		pod.Labels[templateGenerationLabel] = strconv.FormatInt(n, 10)
	}
	tolerateTrouble(&pod.Spec)
	if pod.Spec.Affinity == nil {
		pod.Spec.Affinity = &corev1.Affinity{}
	}
	if pod.Spec.Affinity.NodeAffinity == nil {
		pod.Spec.Affinity.NodeAffinity = &corev1.NodeAffinity{}
	}
	pod.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution = &corev1.NodeSelector{
		NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchFields: []corev1.NodeSelectorRequirement{
			{Key: metav1.ObjectNameField, Operator: corev1.NodeSelectorOpIn, Values: []string{node}},
		}}},
	}
	return pod
}

// templateGenerationLabel tells old clients how often the template had changed.
const templateGenerationLabel = "pod-template-generation"

// targetNode is where a pod runs, or is to run.
func targetNode(pod *corev1.Pod) string {
	a := pod.Spec.Affinity
	if pod.Spec.NodeName != "" || a == nil || a.NodeAffinity == nil || a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return pod.Spec.NodeName
	}
	for _, term := range a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms {
		for _, r := range term.MatchFields {
			if r.Key == metav1.ObjectNameField && r.Operator == corev1.NodeSelectorOpIn && len(r.Values) == 1 {
				return r.Values[0]
			}
		}
	}
	return ""
}
