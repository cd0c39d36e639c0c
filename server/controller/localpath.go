package controller

import (
	"context"
	"errors"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	volumehelper "k8s.io/component-helpers/storage/volume"
	"k8s.io/utils/ptr"

	"leme/server/event"
	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

// NodeVolumes are the directories of volumes on nodes, which the nodes' agents make and remove. Doing either again is
// harmless.
type NodeVolumes interface {
	MakeVolume(ctx context.Context, node, volume string) (path string, err error)
	RemoveVolume(ctx context.Context, node, volume string) error
}

// localPaths makes volumes of directories on nodes, for the claims whose pod has been given its node, and removes them
// when they are reclaimed.
type localPaths struct {
	directories NodeVolumes
	claims      resource.Typed[*corev1.PersistentVolumeClaim]
	volumes     resource.Typed[*corev1.PersistentVolume]
	classes     resource.Typed[*storagev1.StorageClass]
	nodes       resource.Typed[*corev1.Node]
	events      *event.Source
}

const localPathUser = "system:controller:local-path-provisioner"

func localPathsOf(e *environment) *localPaths {
	return &localPaths{
		directories: e.Volumes,
		claims:      resource.For[*corev1.PersistentVolumeClaim](e.api, kind.PersistentVolumeClaim, localPathUser),
		volumes:     resource.For[*corev1.PersistentVolume](e.api, kind.PersistentVolume, localPathUser),
		classes:     resource.For[*storagev1.StorageClass](e.api, kind.StorageClass, localPathUser),
		nodes:       resource.For[*corev1.Node](e.api, kind.Node, localPathUser),
		events:      e.events.From(kind.LocalPathProvisioner),
	}
}

func newLocalPathProvisioner(e *environment) component {
	c := localPathsOf(e)
	return &loop[objectKey]{
		name:    "localpath",
		workers: 4,
		sources: []source[objectKey]{{of(e.api, kind.PersistentVolumeClaim), func(ev store.Event, add func(objectKey)) {
			if claim, ok := decoded[*corev1.PersistentVolumeClaim](ev.Item); ok && asksLocalPath(claim) {
				itself(ev, add)
			}
		}}},
		reconcile: c.provision,
	}
}

// asksLocalPath tells a claim that waits for a directory on the node it names.
func asksLocalPath(claim *corev1.PersistentVolumeClaim) bool {
	return claim.Spec.VolumeName == "" && claim.DeletionTimestamp == nil &&
		claim.Annotations[volumehelper.AnnStorageProvisioner] == kind.LocalPathProvisioner
}

// refusedClaim is what a claim asks for and a directory cannot give: only another claim helps.
type refusedClaim struct{ error }

func (c *localPaths) provision(ctx context.Context, key objectKey) (time.Duration, error) {
	claim, ok := c.claims.Get(key.Namespace, key.Name)
	if !ok || !asksLocalPath(claim) {
		return 0, nil
	}
	class, ok := c.classes.Get("", volumehelper.GetPersistentVolumeClaimClass(claim))
	if !ok || class.Provisioner != kind.LocalPathProvisioner {
		return 0, nil
	}
	pv, err := c.make(ctx, claim, class)
	if err != nil {
		c.events.Warning(claim, "ProvisioningFailed", "failed to provision volume with StorageClass %q: %v", class.Name, err)
		if errors.As(err, &refusedClaim{}) {
			return 0, nil
		}
		return 0, err
	}
	if pv != nil {
		c.events.Normal(claim, "ProvisioningSucceeded", "Successfully provisioned volume %s", pv.Name)
	}
	return 0, nil
}

// make is a claim's volume, with its directory; nil when it was there already, or its node is gone.
func (c *localPaths) make(ctx context.Context, claim *corev1.PersistentVolumeClaim, class *storagev1.StorageClass) (*corev1.PersistentVolume, error) {
	if problem := unservedByDirectory(claim); problem != "" {
		return nil, refusedClaim{errors.New(problem)}
	}
	name := "pvc-" + string(claim.UID)
	if _, made := c.volumes.Get("", name); made {
		return nil, nil
	}
	node, ok := c.nodes.Get("", claim.Annotations[volumehelper.AnnSelectedNode])
	if !ok {
		return nil, c.reschedule(ctx, claim)
	}
	path, err := c.directories.MakeVolume(ctx, node.Name, name)
	if err != nil {
		return nil, err
	}
	pv, err := c.volumes.Create(ctx, directoryVolume(name, path, node, claim, class))
	return pv, ignoreRace(err)
}

// unservedByDirectory says what a claim asks for that a directory on one node does not give.
func unservedByDirectory(claim *corev1.PersistentVolumeClaim) string {
	shared := func(mode corev1.PersistentVolumeAccessMode) bool {
		return mode != corev1.ReadWriteOnce && mode != corev1.ReadWriteOncePod
	}
	switch {
	case claim.Annotations[volumehelper.AnnSelectedNode] == "":
		return "the storage class must bind when the first consumer is there: no node was selected"
	case ptr.Deref(claim.Spec.VolumeMode, "") == corev1.PersistentVolumeBlock:
		return "only volumes with a file system are made"
	case slices.ContainsFunc(claim.Spec.AccessModes, shared):
		return "only the access modes ReadWriteOnce and ReadWriteOncePod are served"
	case claim.Spec.Selector != nil:
		return "claim.Spec.Selector is not supported"
	case claim.Spec.DataSource != nil || claim.Spec.DataSourceRef != nil:
		return "data sources are not supported"
	}
	return ""
}

// reschedule takes back the choice of a node that is gone: the scheduler makes another.
func (c *localPaths) reschedule(ctx context.Context, claim *corev1.PersistentVolumeClaim) error {
	gone := claim.Annotations[volumehelper.AnnSelectedNode]
	_, err := c.claims.Update(ctx, claim.Namespace, claim.Name, func(pvc *corev1.PersistentVolumeClaim) error {
		if pvc.Annotations[volumehelper.AnnSelectedNode] == gone {
			delete(pvc.Annotations, volumehelper.AnnSelectedNode)
		}
		return nil
	})
	return ignoreGone(err)
}

// directoryVolume is the volume of a directory, for one claim and one node.
func directoryVolume(name, path string, node *corev1.Node, claim *corev1.PersistentVolumeClaim, class *storagev1.StorageClass) *corev1.PersistentVolume {
	return &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{
			Name:        name,
			Annotations: map[string]string{volumehelper.AnnDynamicallyProvisioned: kind.LocalPathProvisioner},
			Finalizers:  []string{volumehelper.PVDeletionProtectionFinalizer},
		},
		Spec: corev1.PersistentVolumeSpec{
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: claim.Spec.Resources.Requests[corev1.ResourceStorage]},
			AccessModes:                   claim.Spec.AccessModes,
			VolumeMode:                    claim.Spec.VolumeMode,
			StorageClassName:              class.Name,
			PersistentVolumeReclaimPolicy: ptr.Deref(class.ReclaimPolicy, corev1.PersistentVolumeReclaimDelete),
			PersistentVolumeSource:        corev1.PersistentVolumeSource{Local: &corev1.LocalVolumeSource{Path: path}},
			ClaimRef: &corev1.ObjectReference{
				APIVersion: "v1", Kind: kind.PersistentVolumeClaim.Kind, Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID,
			},
			NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchExpressions: []corev1.NodeSelectorRequirement{
					{Key: corev1.LabelHostname, Operator: corev1.NodeSelectorOpIn, Values: []string{node.Labels[corev1.LabelHostname]}},
				},
			}}}},
		},
	}
}
