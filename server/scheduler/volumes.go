package scheduler

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/component-helpers/storage/ephemeral"
	volumehelper "k8s.io/component-helpers/storage/volume"

	"leme/server/kind"
)

// Storage is what there is of claims and volumes. What it returns is shared and not modified.
type Storage interface {
	Claim(namespace, name string) (*corev1.PersistentVolumeClaim, bool)
	Volume(name string) (*corev1.PersistentVolume, bool)
	// Free are the volumes of a class that have no claim yet, or that one.
	Free(class string, claim *corev1.PersistentVolumeClaim) []*corev1.PersistentVolume
	Class(name string) (*storagev1.StorageClass, bool)
	// Rationed tells whether a CSI driver tells how much space there is.
	Rationed(driver string) bool
	// Capacities are what drivers tell of the space for volumes of a class.
	Capacities(class string) []*storagev1.CSIStorageCapacity
	// Limits are how many volumes a node can attach, by driver; Attachments, by node, those that are attached.
	Limits(node string) map[string]int64
	Attachments() map[string][]csiVolume
}

// podVolumes is what a pod's claims ask of its node.
type podVolumes struct {
	problem  string                     // why no node will do now
	bound    []*corev1.PersistentVolume // the node must reach these
	later    []laterClaim
	inUse    bool                   // a claim for one pod alone is another's
	csi      map[csiVolume]bool     // that the node must attach
	attached map[string][]csiVolume // by node; nil until somebody asks
}

// laterClaim gets its volume once there is a node: one of those that are free, or one that is made.
type laterClaim struct {
	claim *corev1.PersistentVolumeClaim
	class *storagev1.StorageClass
	free  []*corev1.PersistentVolume
}

// countVolumes looks at a pod's claims, once for all nodes.
func (d *decision) countVolumes() {
	pod := d.pod.pod
	for i := range pod.Spec.Volumes {
		v := &pod.Spec.Volumes[i]
		switch {
		case v.PersistentVolumeClaim != nil:
			d.countClaim(v.PersistentVolumeClaim.ClaimName, nil)
		case v.Ephemeral != nil:
			d.countClaim(ephemeral.VolumeClaimName(pod, v), pod)
		}
		if d.volumes.problem != "" {
			return
		}
	}
	if len(d.volumes.bound)+len(d.volumes.later) > 0 {
		d.volumes.csi = make(map[csiVolume]bool)
		d.cluster.csiVolumes(pod, d.volumes.csi)
	}
}

// countClaim looks at one claim; owner is the pod that it must have been made for, or nil.
func (d *decision) countClaim(name string, owner *corev1.Pod) {
	v, storage := &d.volumes, d.cluster.storage
	claim, ok := storage.Claim(d.pod.pod.Namespace, name)
	switch {
	case !ok && owner != nil:
		v.problem = fmt.Sprintf("waiting for ephemeral volume controller to create the persistentvolumeclaim %q", name)
		return
	case !ok:
		v.problem = fmt.Sprintf("persistentvolumeclaim %q not found", name)
		return
	case claim.Status.Phase == corev1.ClaimLost:
		v.problem = fmt.Sprintf("persistentvolumeclaim %q bound to non-existent persistentvolume %q", name, claim.Spec.VolumeName)
		return
	case claim.DeletionTimestamp != nil:
		v.problem = fmt.Sprintf("persistentvolumeclaim %q is being deleted", name)
		return
	}
	if owner != nil {
		if err := ephemeral.VolumeIsForPod(owner, claim); err != nil {
			v.problem = err.Error()
			return
		}
	} else if slices.Contains(claim.Spec.AccessModes, corev1.ReadWriteOncePod) && d.cluster.claims[claim.Namespace+"/"+claim.Name] > 0 {
		v.inUse = true
	}
	d.countVolume(claim)
}

func (d *decision) countVolume(claim *corev1.PersistentVolumeClaim) {
	v, storage := &d.volumes, d.cluster.storage
	if name := claim.Spec.VolumeName; name != "" {
		pv, ok := storage.Volume(name)
		switch {
		case !ok:
			v.problem = fmt.Sprintf("persistentvolumeclaim %q bound to non-existent persistentvolume %q", claim.Name, name)
		case claim.Annotations[volumehelper.AnnBindCompleted] == "":
			v.problem = unboundClaims
		default:
			v.bound = append(v.bound, pv)
		}
		return
	}
	class, ok := storage.Class(volumehelper.GetPersistentVolumeClaimClass(claim))
	if !ok || !kind.Waits(class) {
		v.problem = unboundClaims
		return
	}
	v.later = append(v.later, laterClaim{claim, class, storage.Free(class.Name, claim)})
}

const unboundClaims = "pod has unbound immediate PersistentVolumeClaims"

// checkVolumes tells whether a node reaches the pod's volumes, and can have those that there are not yet.
func checkVolumes(d *decision, n *nodeInfo) bool {
	if len(d.volumes.bound)+len(d.volumes.later) == 0 {
		return true
	}
	if !d.reachesBound(n) {
		return false
	}
	_, lacks := d.volumesOn(n)
	return lacks == ""
}

func explainVolumes(d *decision, n *nodeInfo) (reasons []string) {
	if !d.reachesBound(n) {
		reasons = append(reasons, "node(s) didn't match PersistentVolume's node affinity")
	}
	if _, lacks := d.volumesOn(n); lacks != "" {
		reasons = append(reasons, lacks)
	}
	return reasons
}

func (d *decision) reachesBound(n *nodeInfo) bool {
	return !slices.ContainsFunc(d.volumes.bound, func(pv *corev1.PersistentVolume) bool {
		return volumehelper.CheckNodeAffinity(pv, n.node.Labels) != nil
	})
}

// volumeChoice is where one claim gets its volume from: one that is there or, when that is nil, one that is to be made.
type volumeChoice struct {
	claim  *corev1.PersistentVolumeClaim
	volume *corev1.PersistentVolume
}

// What a node lacks for claims that have no volume, in kube-scheduler's words.
const (
	noVolumes = "node(s) didn't find available persistent volumes to bind"
	noSpace   = "node(s) did not have enough free storage"
)

// volumesOn chooses a volume on a node for each claim that has none; or says what the node lacks.
func (d *decision) volumesOn(n *nodeInfo) (choices []volumeChoice, lacks string) {
	taken := map[string]*corev1.PersistentVolume{}
	for _, l := range d.volumes.later {
		selected := l.claim.Annotations[volumehelper.AnnSelectedNode]
		if selected != "" && selected != n.name {
			return nil, noVolumes
		}
		pv, err := volumehelper.FindMatchingVolume(l.claim, l.free, n.node, taken, false, true)
		switch {
		case err != nil || pv == nil && !makesOn(l.class, n.node):
			return nil, noVolumes
		case pv != nil:
			taken[pv.Name] = pv
		case !d.cluster.hasSpace(l.class, l.claim, n.node):
			return nil, noSpace
		}
		choices = append(choices, volumeChoice{l.claim, pv})
	}
	return choices, ""
}

// hasSpace tells whether a volume for a claim finds room, where its driver tells how much there is.
func (c *cluster) hasSpace(class *storagev1.StorageClass, claim *corev1.PersistentVolumeClaim, node *corev1.Node) bool {
	size, asked := claim.Spec.Resources.Requests[corev1.ResourceStorage]
	if !asked || !c.storage.Rationed(class.Provisioner) {
		return true
	}
	return slices.ContainsFunc(c.storage.Capacities(class.Name), func(s *storagev1.CSIStorageCapacity) bool {
		limit := s.MaximumVolumeSize
		if limit == nil {
			limit = s.Capacity
		}
		if limit == nil || limit.Value() < size.Value() || s.NodeTopology == nil {
			return false
		}
		selector, err := metav1.LabelSelectorAsSelector(s.NodeTopology)
		return err == nil && selector.Matches(labels.Set(node.Labels))
	})
}

// makesOn tells whether volumes of a class are made, for that node.
func makesOn(class *storagev1.StorageClass, node *corev1.Node) bool {
	if class.Provisioner == volumehelper.NotSupportedProvisioner {
		return false
	}
	return len(class.AllowedTopologies) == 0 || slices.ContainsFunc(class.AllowedTopologies, func(term corev1.TopologySelectorTerm) bool {
		return !slices.ContainsFunc(term.MatchLabelExpressions, func(r corev1.TopologySelectorLabelRequirement) bool {
			return !slices.Contains(r.Values, node.Labels[r.Key])
		})
	})
}
