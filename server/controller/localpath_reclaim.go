package controller

import (
	"context"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	volumehelper "k8s.io/component-helpers/storage/volume"

	"leme/server/kind"
)

func newLocalPathReclaim(e *environment) component {
	return &loop[objectKey]{
		name:      "localpathreclaim",
		workers:   4,
		sources:   []source[objectKey]{{of(e.api, kind.PersistentVolume), itself}},
		reconcile: localPathsOf(e).reclaim,
	}
}

// reclaimStep is what is next in the end of a directory's volume.
type reclaimStep string

const (
	keepVolume    reclaimStep = "keep"
	deleteVolume  reclaimStep = "delete" // the object is marked, and comes again
	removeData    reclaimStep = "remove the data, let go"
	releaseVolume reclaimStep = "let go" // the data stays
)

// planReclaim decides about a volume by its phase and policy. Data is removed only of a volume that is being deleted.
func planReclaim(pv *corev1.PersistentVolume) reclaimStep {
	removes := pv.Spec.PersistentVolumeReclaimPolicy == corev1.PersistentVolumeReclaimDelete
	switch {
	case pv.Annotations[volumehelper.AnnDynamicallyProvisioned] != kind.LocalPathProvisioner:
		return keepVolume
	case pv.DeletionTimestamp == nil && removes && pv.Status.Phase == corev1.VolumeReleased:
		return deleteVolume
	case pv.DeletionTimestamp == nil, pv.Status.Phase == corev1.VolumeBound,
		!slices.Contains(pv.Finalizers, volumehelper.PVDeletionProtectionFinalizer):
		return keepVolume
	case removes:
		return removeData
	}
	return releaseVolume
}

func (c *localPaths) reclaim(ctx context.Context, key objectKey) (time.Duration, error) {
	pv, ok := c.volumes.Get("", key.Name)
	if !ok {
		return 0, nil
	}
	step := planReclaim(pv)
	switch step {
	case keepVolume:
		return 0, nil
	case deleteVolume:
		return 0, removeSeen(ctx, c.volumes, pv, metav1.DeleteOptions{})
	case removeData:
		if err := c.removeData(ctx, pv); err != nil {
			c.events.Warning(pv, "VolumeFailedDelete", "%v", err)
			return 0, err
		}
	}
	_, err := c.volumes.Update(ctx, "", pv.Name, func(pv *corev1.PersistentVolume) error {
		pv.Finalizers = without(pv.Finalizers, volumehelper.PVDeletionProtectionFinalizer)
		return nil
	})
	return 0, ignoreGone(err)
}

// removeData removes a volume's directory. That of a node that is no more is gone with it.
func (c *localPaths) removeData(ctx context.Context, pv *corev1.PersistentVolume) error {
	nodes := c.nodes.List("", func(n *corev1.Node) bool { return volumehelper.CheckNodeAffinity(pv, n.Labels) == nil })
	for _, node := range nodes {
		if err := c.directories.RemoveVolume(ctx, node.Name, pv.Name); err != nil {
			return err
		}
	}
	return nil
}
