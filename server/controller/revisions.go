package controller

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/utils/ptr"

	"leme/server/resource"
)

// revised is a workload whose templates are kept as ControllerRevisions.
type revised struct {
	owner      metav1.Object
	gvk        schema.GroupVersionKind
	selector   labels.Selector
	template   *corev1.PodTemplateSpec
	collisions *int32
	hashLabel  string // under which a revision tells its hash
}

// revisions is the history of a workload, the latest last.
type revisions struct {
	all        []*appsv1.ControllerRevision
	latest     *appsv1.ControllerRevision // of the template that is wanted now
	collisions *int32                     // how often a name was taken
}

// named is the revision of a name, or nil.
func (r revisions) named(name string) *appsv1.ControllerRevision {
	for _, rev := range r.all {
		if rev.Name == name {
			return rev
		}
	}
	return nil
}

// outdated are the revisions that nobody uses any more, beyond those to keep; a negative limit keeps all.
func (r revisions) outdated(limit int32, live map[string]bool) []*appsv1.ControllerRevision {
	old := slices.DeleteFunc(slices.Clone(r.all), func(rev *appsv1.ControllerRevision) bool { return live[rev.Name] })
	if limit < 0 || len(old) <= int(limit) {
		return nil
	}
	return old[:len(old)-int(limit)]
}

// prune removes the outdated revisions; without a limit ten are kept.
func (r revisions) prune(ctx context.Context, objects resource.Typed[*appsv1.ControllerRevision], limit *int32, live map[string]bool) error {
	for _, rev := range r.outdated(ptr.Deref(limit, 10), live) {
		if err := removeSeen(ctx, objects, rev, metav1.DeleteOptions{}); err != nil {
			return fmt.Errorf("deleting revision %s: %w", rev.Name, err)
		}
	}
	return nil
}

// record brings a workload's history up to its template. A template that was there before becomes the latest again.
func record(ctx context.Context, objects resource.Typed[*appsv1.ControllerRevision], w revised) (revisions, error) {
	mine := claim(w.owner, w.selector, objects.List(w.owner.GetNamespace(), mayClaim[*appsv1.ControllerRevision](w.owner)))
	all, err := mine.apply(ctx, objects, w.owner, w.gvk)
	if err != nil {
		return revisions{}, err
	}
	r := revisions{all: all, collisions: w.collisions}
	r.sort()
	data, err := templatePatch(w.template)
	if err != nil {
		return revisions{}, err
	}
	next := int64(1)
	if n := len(r.all); n > 0 {
		next = r.all[n-1].Revision + 1
	}
	for i, rev := range slices.Backward(r.all) {
		if !bytes.Equal(rev.Data.Raw, data) {
			continue
		}
		if i < len(r.all)-1 {
			if r.all[i], err = renumber(ctx, objects, rev, next); err != nil {
				return revisions{}, err
			}
		}
		r.latest = r.all[i]
		r.sort()
		return r, nil
	}
	return r, r.add(ctx, objects, w, data, next)
}

func (r *revisions) sort() {
	slices.SortStableFunc(r.all, func(a, b *appsv1.ControllerRevision) int {
		return cmp.Or(cmp.Compare(a.Revision, b.Revision), a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
}

func renumber(ctx context.Context, objects resource.Typed[*appsv1.ControllerRevision], rev *appsv1.ControllerRevision, n int64) (*appsv1.ControllerRevision, error) {
	updated, err := objects.Update(ctx, rev.Namespace, rev.Name, func(o *appsv1.ControllerRevision) error {
		o.Revision = n
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("making revision %s the latest: %w", rev.Name, err)
	}
	return updated, nil
}

// maxCollisions is how many names are tried for one revision.
const maxCollisions = 20

// add makes a new revision, under another name where one is taken.
func (r *revisions) add(ctx context.Context, objects resource.Typed[*appsv1.ControllerRevision], w revised, data []byte, n int64) error {
	for range maxCollisions {
		rev, err := objects.Create(ctx, newRevision(w, data, n, r.collisions))
		if err == nil {
			r.all, r.latest = append(r.all, rev), rev
			return nil
		}
		if !apierrors.IsAlreadyExists(err) {
			return fmt.Errorf("keeping a revision of %s: %w", w.owner.GetName(), err)
		}
		r.collisions = ptr.To(ptr.Deref(r.collisions, 0) + 1)
	}
	return fmt.Errorf("no name is free for a revision of %s", w.owner.GetName())
}

func newRevision(w revised, data []byte, n int64, collisions *int32) *appsv1.ControllerRevision {
	h := fnv.New32()
	h.Write(data)
	if collisions != nil {
		h.Write([]byte(strconv.Itoa(int(*collisions))))
	}
	hash := rand.SafeEncodeString(strconv.FormatUint(uint64(h.Sum32()), 10))
	rev := &appsv1.ControllerRevision{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:       w.owner.GetNamespace(),
			Name:            w.owner.GetName() + "-" + hash,
			Labels:          cloned(w.template.Labels),
			Annotations:     maps.Clone(w.owner.GetAnnotations()),
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(w.owner, w.gvk)},
		},
		Data:     runtime.RawExtension{Raw: data},
		Revision: n,
	}
	rev.Labels[w.hashLabel] = hash
	return rev
}

// templatePatch is the strategic merge patch that brings a template back: what kubectl rollout undo applies.
func templatePatch(t *corev1.PodTemplateSpec) ([]byte, error) {
	raw, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("encoding the pod template: %w", err)
	}
	template := map[string]any{}
	if err := json.Unmarshal(raw, &template); err != nil {
		return nil, fmt.Errorf("encoding the pod template: %w", err)
	}
	template["$patch"] = "replace"
	return json.Marshal(map[string]any{"spec": map[string]any{"template": template}})
}

// templateOf is the template that a revision keeps.
func templateOf(rev *appsv1.ControllerRevision) (*corev1.PodTemplateSpec, error) {
	var kept struct {
		Spec struct {
			Template corev1.PodTemplateSpec `json:"template"`
		} `json:"spec"`
	}
	if err := json.Unmarshal(rev.Data.Raw, &kept); err != nil {
		return nil, fmt.Errorf("reading revision %s: %w", rev.Name, err)
	}
	return &kept.Spec.Template, nil
}
