package controller

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/utils/ptr"

	"leme/server/kind"
)

// What a Deployment writes on its ReplicaSets.
const (
	revisionAnnotation        = "deployment.kubernetes.io/revision"
	revisionHistoryAnnotation = "deployment.kubernetes.io/revision-history"
	desiredAnnotation         = "deployment.kubernetes.io/desired-replicas"
	maxAnnotation             = "deployment.kubernetes.io/max-replicas"
)

// ownAnnotations are those of a Deployment that its ReplicaSets do not inherit.
var ownAnnotations = []string{
	corev1.LastAppliedConfigAnnotation, revisionAnnotation, revisionHistoryAnnotation,
	desiredAnnotation, maxAnnotation, appsv1.DeprecatedRollbackTo,
}

// templateHash names a pod template: the same text for the same template, another one after each collision.
// It is as long and in the same letters as in Kubernetes, where it ends a ReplicaSet's name.
func templateHash(t *corev1.PodTemplateSpec, collisions *int32) (string, error) {
	text, err := json.Marshal(t)
	if err != nil {
		return "", fmt.Errorf("hashing the pod template: %w", err)
	}
	h := fnv.New32a()
	h.Write(text)
	if collisions != nil {
		h.Write(binary.LittleEndian.AppendUint32(nil, uint32(*collisions)))
	}
	return rand.SafeEncodeString(strconv.FormatUint(uint64(h.Sum32()), 10)), nil
}

// sameTemplate compares two templates but for the hash that a ReplicaSet's has in its labels.
func sameTemplate(a, b *corev1.PodTemplateSpec) bool {
	return equality.Semantic.DeepEqual(withoutHash(a), withoutHash(b))
}

func withoutHash(t *corev1.PodTemplateSpec) *corev1.PodTemplateSpec {
	if _, ok := t.Labels[appsv1.DefaultDeploymentUniqueLabelKey]; !ok {
		return t
	}
	c := *t
	c.Labels = maps.Clone(t.Labels)
	delete(c.Labels, appsv1.DefaultDeploymentUniqueLabelKey)
	return &c
}

// findNew returns the ReplicaSet that has the Deployment's template, or nil; the oldest where there are several.
func findNew(d *appsv1.Deployment, sets []*appsv1.ReplicaSet) *appsv1.ReplicaSet {
	for _, rs := range byAge(sets) {
		if sameTemplate(&rs.Spec.Template, &d.Spec.Template) {
			return rs
		}
	}
	return nil
}

// byAge sorts the oldest first.
func byAge(sets []*appsv1.ReplicaSet) []*appsv1.ReplicaSet {
	return slices.SortedFunc(slices.Values(sets), func(a, b *appsv1.ReplicaSet) int {
		if c := a.CreationTimestamp.Compare(b.CreationTimestamp.Time); c != 0 {
			return c
		}
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
}

// replicaSetFor is the ReplicaSet of the Deployment's template, still without replicas.
func replicaSetFor(d *appsv1.Deployment) (*appsv1.ReplicaSet, error) {
	hash, err := templateHash(&d.Spec.Template, d.Status.CollisionCount)
	if err != nil {
		return nil, err
	}
	template := d.Spec.Template.DeepCopy()
	metav1.SetMetaDataLabel(&template.ObjectMeta, appsv1.DefaultDeploymentUniqueLabelKey, hash)
	rs := &appsv1.ReplicaSet{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:       d.Namespace,
			Name:            d.Name + "-" + hash,
			Labels:          template.Labels,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(d, kind.Deployment.GroupVersionKind)},
		},
		Spec: appsv1.ReplicaSetSpec{
			Replicas:        ptr.To[int32](0),
			MinReadySeconds: d.Spec.MinReadySeconds,
			Selector:        metav1.CloneSelectorAndAddLabel(d.Spec.Selector, appsv1.DefaultDeploymentUniqueLabelKey, hash),
			Template:        *template,
		},
	}
	return rs, nil
}

// revision is a ReplicaSet's place in its Deployment's history; 0 before it has one.
func revision(rs *appsv1.ReplicaSet) int64 {
	n, err := strconv.ParseInt(rs.Annotations[revisionAnnotation], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// inherited returns a ReplicaSet's annotations with the Deployment's, the revision and the wanted replicas.
func inherited(d *appsv1.Deployment, rs *appsv1.ReplicaSet, rev int64) map[string]string {
	annotations := make(map[string]string, len(rs.Annotations)+len(d.Annotations)+3)
	maps.Copy(annotations, rs.Annotations)
	for k, v := range d.Annotations {
		if !slices.Contains(ownAnnotations, k) {
			annotations[k] = v
		}
	}
	if old := revision(rs); old != 0 && old != rev {
		annotations[revisionHistoryAnnotation] = history(annotations[revisionHistoryAnnotation], old)
	}
	annotations[revisionAnnotation] = strconv.FormatInt(rev, 10)
	maps.Copy(annotations, replicasAnnotations(d))
	return annotations
}

func history(earlier string, rev int64) string {
	if earlier == "" {
		return strconv.FormatInt(rev, 10)
	}
	return earlier + "," + strconv.FormatInt(rev, 10)
}

// replicasAnnotations record for what size a ReplicaSet was scaled, so that a resize during a rollout shows.
func replicasAnnotations(d *appsv1.Deployment) map[string]string {
	return map[string]string{
		desiredAnnotation: strconv.Itoa(int(wanted(d))),
		maxAnnotation:     strconv.Itoa(int(wanted(d) + surge(d))),
	}
}
