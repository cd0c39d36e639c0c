package node

import (
	"strings"
	"testing"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/auth"
	"leme/server/kind"
	"leme/server/resource"
)

func TestGuard(t *testing.T) {
	node := func(name string, labels ...string) *corev1.Node {
		n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{}}}
		for _, l := range labels {
			n.Labels[l] = "x"
		}
		return n
	}
	tainted := node("n1")
	tainted.Spec.Taints = []corev1.Taint{{Key: "a", Effect: "NoSchedule"}}
	owned := node("n1")
	owned.OwnerReferences = []metav1.OwnerReference{{Kind: "Pod", Name: "x"}}
	pod := func(on string, change ...func(*corev1.Pod)) *corev1.Pod {
		p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p"}, Spec: corev1.PodSpec{NodeName: on}}
		for _, c := range change {
			c(p)
		}
		return p
	}
	yes := true
	mirror := func(p *corev1.Pod) {
		p.Annotations = map[string]string{corev1.MirrorPodAnnotationKey: "x"}
		p.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: "n1", UID: "u1", Controller: &yes}}
	}
	former := func(p *corev1.Pod) { p.OwnerReferences[0].UID = "u0" }
	unowned := func(p *corev1.Pod) { p.OwnerReferences = nil }
	shared := func(p *corev1.Pod) { p.OwnerReferences = append(p.OwnerReferences, p.OwnerReferences[0]) }
	elsewhere := func(p *corev1.Pod) { p.OwnerReferences[0].Name = "n2" }
	uncontrolled := func(p *corev1.Pod) { p.OwnerReferences[0].Controller = nil }
	blocking := func(p *corev1.Pod) { p.OwnerReferences[0].BlockOwnerDeletion = &yes }
	trusting := func(p *corev1.Pod) {
		p.Spec.Volumes = []corev1.Volume{{VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{
			Sources: []corev1.VolumeProjection{{ClusterTrustBundle: &corev1.ClusterTrustBundleProjection{}}}}}}}
	}
	curious := func(p *corev1.Pod) { p.Spec.ImagePullSecrets = []corev1.LocalObjectReference{{Name: "s"}} }
	labelled := func(p *corev1.Pod) { p.Labels = map[string]string{"app": "x"} }
	nodes, pods, status := resource.Target{Kind: kind.Node}, resource.Target{Kind: kind.Pod}, resource.Target{Kind: kind.Pod, Subresource: resource.Status}
	leases := resource.Target{Kind: kind.Lease}
	asked := Guard(func(name string) (*corev1.Node, bool) {
		return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, UID: "u1"}}, name == "n1"
	})
	for _, tt := range []struct {
		name  string
		write resource.Write
		want  string // why not; empty: allowed
	}{
		{"registering", resource.Write{Target: nodes, Object: node("n1", corev1.LabelHostname, "disk", "example.com/disk", "node.kubernetes.io/x")}, ""},
		{"registering with taints", resource.Write{Target: nodes, Object: tainted}, ""},
		{"registering another", resource.Write{Target: nodes, Object: node("n2")}, `node "n1" is not allowed to modify node "n2"`},
		{"a restricted label", resource.Write{Target: nodes, Object: node("n1", "node-restriction.kubernetes.io/a", "node-role.kubernetes.io/control-plane")}, "is not allowed to modify labels: node-restriction.kubernetes.io/a, node-role.kubernetes.io/control-plane"},
		{"a label", resource.Write{Target: nodes, Object: node("n1", "disk"), Old: node("n1")}, ""},
		{"taking a restricted label off", resource.Write{Target: nodes, Object: node("n1"), Old: node("n1", "x.node-restriction.kubernetes.io/a")}, "is not allowed to modify labels"},
		{"keeping one", resource.Write{Target: nodes, Object: node("n1", "k8s.io/a"), Old: node("n1", "k8s.io/a")}, ""},
		{"untainting", resource.Write{Target: nodes, Object: node("n1"), Old: tainted}, `node "n1" is not allowed to modify taints`},
		{"an owner", resource.Write{Target: nodes, Object: owned, Old: node("n1")}, `node "n1" is not allowed to modify owner references`},
		{"a pod", resource.Write{Target: pods, Object: pod("n1")}, "can only create mirror pods"},
		{"a mirror pod", resource.Write{Target: pods, Object: pod("n1", mirror)}, ""},
		{"another's mirror pod", resource.Write{Target: pods, Object: pod("n2", mirror)}, "can only create pods with spec.nodeName set to itself"},
		{"a curious mirror pod", resource.Write{Target: pods, Object: pod("n1", mirror, curious)}, "can not create pods that reference secrets"},
		{"a trusting mirror pod", resource.Write{Target: pods, Object: pod("n1", mirror, trusting)}, "can not create pods that reference clustertrustbundles"},
		{"a mirror pod of nobody", resource.Write{Target: pods, Object: pod("n1", mirror, unowned)}, "with an owner reference set to itself"},
		{"a mirror pod of a node that was", resource.Write{Target: pods, Object: pod("n1", mirror, former)}, "node n1 UID mismatch: expected u0 got u1"},
		{"a mirror pod of two", resource.Write{Target: pods, Object: pod("n1", mirror, shared)}, "with a single owner reference set to itself"},
		{"a mirror pod of another", resource.Write{Target: pods, Object: pod("n1", mirror, elsewhere)}, "with an owner reference set to itself"},
		{"an uncontrolled mirror pod", resource.Write{Target: pods, Object: pod("n1", mirror, uncontrolled)}, "with a controller owner reference set to itself"},
		{"a mirror pod that holds its node", resource.Write{Target: pods, Object: pod("n1", mirror, blocking)}, "must not set blockOwnerDeletion"},
		{"ending a pod", resource.Write{Target: pods, Old: pod("n1")}, ""},
		{"ending another's pod", resource.Write{Target: pods, Old: pod("n2")}, "can only delete pods with spec.nodeName set to itself"},
		{"a pod's status", resource.Write{Target: status, Object: pod("n1"), Old: pod("n1")}, ""},
		{"another's pod's status", resource.Write{Target: status, Object: pod("n1"), Old: pod("n2")}, "can only update pod status for pods with spec.nodeName set to itself"},
		{"labels by the status", resource.Write{Target: status, Object: pod("n1", labelled), Old: pod("n1")}, "cannot update labels through pod status"},
		{"a pod's spec", resource.Write{Target: pods, Object: pod("n1"), Old: pod("n1")}, "can only update the status of pods"},
		{"its lease", resource.Write{Target: leases, Object: &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: "n1"}}}, ""},
		{"another's lease", resource.Write{Target: leases, Object: &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Name: "n2"}}}, "can only access node lease with the same name as the requesting node"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := asked(auth.WithRequest(t.Context(), auth.Request{User: agent}), tt.write)
			if tt.want == "" && err != nil || tt.want != "" && (!apierrors.IsForbidden(err) || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v", err)
			}
			if err := asked(t.Context(), tt.write); err != nil {
				t.Errorf("the server itself: %v", err)
			}
		})
	}
}

// TestMirrorsOfNoNode: an agent whose node is not there yet is told so, and tries again.
func TestMirrorsOfNoNode(t *testing.T) {
	yes := true
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p", Annotations: map[string]string{corev1.MirrorPodAnnotationKey: "x"},
		OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: "n1", UID: "u1", Controller: &yes}}}, Spec: corev1.PodSpec{NodeName: "n1"}}
	asked := Guard(func(string) (*corev1.Node, bool) { return nil, false })
	err := asked(auth.WithRequest(t.Context(), auth.Request{User: agent}), resource.Write{Target: resource.Target{Kind: kind.Pod}, Object: p})
	if !apierrors.IsNotFound(err) {
		t.Errorf("got %v", err)
	}
}
