package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"leme/server/auth"
	"leme/server/kind"
	"leme/server/resource"
)

// Guard makes a resource.Guard: what an agent writes must be its own node's, and keep to what agents may say. find gives
// the nodes that there are.
func Guard(find func(name string) (*corev1.Node, bool)) resource.Guard {
	return func(ctx context.Context, w resource.Write) error {
		r, _ := auth.RequestOf(ctx)
		node, agent := NameOf(r.User)
		if !agent {
			return nil
		}
		return guard(node, w, find)
	}
}

func guard(node string, w resource.Write, find func(string) (*corev1.Node, bool)) error {
	obj := w.Object
	if obj == nil {
		obj = w.Old
	}
	var problem error
	switch obj.(type) {
	case *corev1.Node:
		problem = nodeWrite(node, as[*corev1.Node](w.Object), as[*corev1.Node](w.Old))
	case *corev1.Pod:
		problem = podWrite(node, as[*corev1.Pod](w.Object), as[*corev1.Pod](w.Old), w.Subresource, find)
	case *coordinationv1.Lease:
		if name := obj.(metav1.Object).GetName(); name != node {
			problem = errors.New("can only access node lease with the same name as the requesting node")
		}
	}
	if problem != nil && !apierrors.IsNotFound(problem) {
		problem = apierrors.NewForbidden(w.Kind.GroupResource(), obj.(metav1.Object).GetName(), problem)
	}
	return problem
}

// as is an object that may be missing.
func as[T any](obj runtime.Object) (typed T) {
	typed, _ = obj.(T)
	return typed
}

// nodeWrite looks at a node that is made (old is nil) or changed.
func nodeWrite(node string, n, old *corev1.Node) error {
	if n == nil || n.Name != node {
		return fmt.Errorf("node %q is not allowed to modify node %q", node, cmp.Or(n, old).Name)
	}
	if old == nil {
		old = &corev1.Node{Spec: corev1.NodeSpec{Taints: n.Spec.Taints}} // it may come with taints, not with every label
	}
	if labels := restricted(n.Labels, old.Labels); len(labels) > 0 {
		return fmt.Errorf("is not allowed to modify labels: %s", strings.Join(labels, ", "))
	}
	switch {
	case !equality.Semantic.DeepEqual(n.Spec.Taints, old.Spec.Taints):
		return fmt.Errorf("node %q is not allowed to modify taints", node)
	case !equality.Semantic.DeepEqual(n.OwnerReferences, old.OwnerReferences):
		return fmt.Errorf("node %q is not allowed to modify owner references", node)
	}
	return nil
}

// podWrite looks at a pod that is made (old is nil), changed, or deleted (p is nil).
func podWrite(node string, p, old *corev1.Pod, subresource string, find func(string) (*corev1.Node, bool)) error {
	switch {
	case old == nil:
		return mirrorPod(node, p, find)
	case old.Spec.NodeName != node && p == nil:
		return fmt.Errorf("node %q can only delete pods with spec.nodeName set to itself", node)
	case p == nil:
		return nil
	case subresource != resource.Status:
		return fmt.Errorf("node %q can only update the status of pods", node)
	case old.Spec.NodeName != node:
		return fmt.Errorf("node %q can only update pod status for pods with spec.nodeName set to itself", node)
	case !equality.Semantic.DeepEqual(p.Labels, old.Labels):
		return fmt.Errorf("node %q cannot update labels through pod status", node)
	}
	return nil
}

// mirrorPod lets an agent show the pods that it knows from files. They can name nothing that would be opened to it.
func mirrorPod(node string, p *corev1.Pod, find func(string) (*corev1.Node, bool)) error {
	if _, mirror := p.Annotations[corev1.MirrorPodAnnotationKey]; !mirror {
		return fmt.Errorf("pod does not have %q annotation, node %q can only create mirror pods", corev1.MirrorPodAnnotationKey, node)
	}
	if p.Spec.NodeName != node {
		return fmt.Errorf("node %q can only create pods with spec.nodeName set to itself", node)
	}
	if problem := mirrorOwner(node, p.OwnerReferences); problem != nil {
		return problem
	}
	if problem := ownerIs(node, p.OwnerReferences[0].UID, find); problem != nil {
		return problem
	}
	if what := kind.PodNeeds(p); what != "" {
		return fmt.Errorf("node %q can not create pods that reference %s", node, what)
	}
	return nil
}

// mirrorOwner wants the node to own its mirror pods, so that they go with it.
func mirrorOwner(node string, owners []metav1.OwnerReference) error {
	if len(owners) > 1 {
		return fmt.Errorf("node %q can only create pods with a single owner reference set to itself", node)
	}
	if len(owners) == 0 || owners[0].APIVersion != "v1" || owners[0].Kind != "Node" || owners[0].Name != node {
		return fmt.Errorf("node %q can only create pods with an owner reference set to itself", node)
	}
	if !ptr.Deref(owners[0].Controller, false) {
		return fmt.Errorf("node %q can only create pods with a controller owner reference set to itself", node)
	}
	if ptr.Deref(owners[0].BlockOwnerDeletion, false) {
		return fmt.Errorf("node %q must not set blockOwnerDeletion on an owner reference", node)
	}
	return nil
}

// ownerIs wants the owner to be the node that there is, not one of its name before.
func ownerIs(node string, uid types.UID, find func(string) (*corev1.Node, bool)) error {
	n, ok := find(node)
	if !ok {
		return apierrors.NewNotFound(corev1.Resource("nodes"), node)
	}
	if uid != n.UID {
		return fmt.Errorf("node %s UID mismatch: expected %s got %s", node, uid, n.UID)
	}
	return nil
}

// restricted lists, sorted, the labels that differ and that are not for agents to set.
func restricted(labels, old map[string]string) []string {
	var list []string
	for key, value := range labels {
		if was, ok := old[key]; (!ok || was != value) && isRestricted(key) {
			list = append(list, key)
		}
	}
	for key := range old {
		if _, ok := labels[key]; !ok && isRestricted(key) {
			list = append(list, key)
		}
	}
	slices.Sort(list)
	return list
}

// agentLabels are those of Kubernetes' own that agents set.
var agentLabels = []string{
	corev1.LabelHostname, corev1.LabelOSStable, corev1.LabelArchStable, corev1.LabelInstanceTypeStable, corev1.LabelInstanceType,
	corev1.LabelTopologyZone, corev1.LabelTopologyRegion, corev1.LabelFailureDomainBetaZone, corev1.LabelFailureDomainBetaRegion,
	"beta.kubernetes.io/os", "beta.kubernetes.io/arch",
}

func isRestricted(key string) bool {
	prefix, _, found := strings.Cut(key, "/")
	switch {
	case !found, slices.Contains(agentLabels, key):
		return false
	case within(prefix, corev1.LabelNamespaceNodeRestriction):
		return true
	case within(prefix, corev1.LabelNamespaceSuffixKubelet), within(prefix, corev1.LabelNamespaceSuffixNode):
		return false
	}
	return within(prefix, "kubernetes.io") || within(prefix, "k8s.io")
}

func within(domain, parent string) bool {
	return domain == parent || strings.HasSuffix(domain, "."+parent)
}
