package scheduler

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	volumehelper "k8s.io/component-helpers/storage/volume"

	"golang.org/x/sync/errgroup"
)

// volumeBinder gets volumes for the claims of pods that have been placed, before they are bound to their nodes. A pod
// counts on its node meanwhile.
type volumeBinder struct {
	store   *volumeStore
	writer  *writer
	waiting line
}

// run looks after each pod apart, until ctx ends.
func (b *volumeBinder) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case o := <-b.waiting:
				g.Go(func() error {
					b.bind(ctx, *o)
					return nil
				})
			}
		}
	})
	return g.Wait()
}

// bind asks for the volumes, waits for them, and hands the pod on; or takes its placement back.
func (b *volumeBinder) bind(ctx context.Context, o outcome) {
	err := b.ask(ctx, o)
	if err == nil {
		err = b.await(ctx, o)
	}
	switch {
	case ctx.Err() != nil:
	case err == nil:
		o.volumes = nil
		b.writer.placed(ctx, o)
	default:
		b.writer.of(o.pod).Warning(o.pod, "FailedScheduling", "running PreBind plugin \"VolumeBinding\": %v", err)
		current, _ := b.writer.pods.Get(o.pod.Namespace, o.pod.Name)
		b.writer.state.unbound(o.pod.UID, current)
	}
}

// ask writes each choice: a claim onto the volume that is there, or the node onto the claim whose volume is to be made.
func (b *volumeBinder) ask(ctx context.Context, o outcome) error {
	for _, choice := range o.volumes {
		claim := choice.claim
		if choice.volume == nil {
			if _, err := b.store.claims.Update(ctx, claim.Namespace, claim.Name, func(c *corev1.PersistentVolumeClaim) error {
				if c.UID != claim.UID {
					return fmt.Errorf("persistentvolumeclaim %q is another one now", c.Name)
				}
				metav1.SetMetaDataAnnotation(&c.ObjectMeta, volumehelper.AnnSelectedNode, o.node)
				return nil
			}); err != nil {
				return err
			}
			continue
		}
		if _, err := b.store.volumes.Update(ctx, "", choice.volume.Name, func(pv *corev1.PersistentVolume) error {
			if pv.Spec.ClaimRef != nil && !volumehelper.IsVolumeBoundToClaim(pv, claim) {
				return fmt.Errorf("persistentvolume %q has another claim now", pv.Name)
			}
			bound, _, err := volumehelper.GetBindVolumeToClaim(pv, claim)
			if err == nil {
				bound.DeepCopyInto(pv)
			}
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

var errNotBound = errors.New("binding volumes: context deadline exceeded")

// await returns when all claims have their volumes, or an error when one will not get it there.
func (b *volumeBinder) await(ctx context.Context, o outcome) error {
	limit := time.NewTimer(b.writer.state.profiles[o.pod.Spec.SchedulerName].volumePatience)
	defer limit.Stop()
	for {
		changed := b.store.change()
		done, err := b.bound(o)
		if done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-limit.C:
			return errNotBound
		case <-changed:
		}
	}
}

func (b *volumeBinder) bound(o outcome) (bool, error) {
	if pod, ok := b.writer.pods.Get(o.pod.Namespace, o.pod.Name); !ok || pod.UID != o.pod.UID || pod.DeletionTimestamp != nil {
		return false, errors.New("the pod is going")
	}
	for _, choice := range o.volumes {
		claim, ok := b.store.Claim(choice.claim.Namespace, choice.claim.Name)
		switch {
		case !ok || claim.UID != choice.claim.UID:
			return false, fmt.Errorf("persistentvolumeclaim %q is gone", choice.claim.Name)
		case claim.Spec.VolumeName != "" && claim.Annotations[volumehelper.AnnBindCompleted] != "" && claim.Status.Phase == corev1.ClaimBound:
		case choice.volume == nil && claim.Annotations[volumehelper.AnnSelectedNode] != o.node:
			return false, fmt.Errorf("selectedNode annotation reset for PVC %q", claim.Name)
		default:
			return false, nil
		}
	}
	return true, nil
}
