package controller

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/utils/ptr"
)

// deploymentPlan is one step of a Deployment towards what it asks for. Each step leaves enough pods available;
// the next is planned when the ReplicaSets report what became of this one.
type deploymentPlan struct {
	create *appsv1.ReplicaSet // of the Deployment's template, where there is none yet
	update []replicaSetUpdate
	remove []*appsv1.ReplicaSet // beyond the history limit
	status appsv1.DeploymentStatus
	// revision is what the Deployment's annotation shall say; 0: as it is.
	revision int64
	again    time.Duration // when the progress deadline passes
}

// replicaSetUpdate is what changes on a ReplicaSet that exists.
type replicaSetUpdate struct {
	set         *appsv1.ReplicaSet
	replicas    int32
	annotations map[string]string
	minReady    int32
}

func (u replicaSetUpdate) needed() bool {
	return size(u.set) != u.replicas || u.set.Spec.MinReadySeconds != u.minReady || !maps.Equal(u.set.Annotations, u.annotations)
}

func (p deploymentPlan) String() string {
	var steps []string
	if p.create != nil {
		steps = append(steps, fmt.Sprintf("create %s of %d", p.create.Name, size(p.create)))
	}
	for _, u := range p.update {
		if size(u.set) == u.replicas {
			steps = append(steps, fmt.Sprintf("annotate %s", u.set.Name))
		} else {
			steps = append(steps, fmt.Sprintf("scale %s from %d to %d", u.set.Name, size(u.set), u.replicas))
		}
	}
	for _, rs := range p.remove {
		steps = append(steps, "delete "+rs.Name)
	}
	if len(steps) == 0 {
		return "nothing"
	}
	return strings.Join(steps, ", ")
}

// planDeployment compares a Deployment with the ReplicaSets that it owns. oldPods is how many pods of other
// templates have not ended, which Recreate waits for.
func planDeployment(d *appsv1.Deployment, sets []*appsv1.ReplicaSet, oldPods int, now time.Time) (deploymentPlan, error) {
	fresh := findNew(d, sets)
	old := slices.DeleteFunc(slices.Clone(sets), func(rs *appsv1.ReplicaSet) bool { return rs == fresh })
	var plan deploymentPlan
	if d.DeletionTimestamp == nil {
		if err := plan.step(d, fresh, old, oldPods); err != nil {
			return plan, err
		}
	}
	plan.status, plan.again = deploymentStatus(d, fresh, old, plan.create, now)
	if d.DeletionTimestamp == nil && (d.Spec.Paused || complete(d, &plan.status)) {
		plan.remove = beyondHistory(d, old)
	}
	return plan, nil
}

// step decides, first match wins: a change of size, a pause, then the strategy's next step.
func (p *deploymentPlan) step(d *appsv1.Deployment, fresh *appsv1.ReplicaSet, old []*appsv1.ReplicaSet, oldPods int) error {
	recreates := d.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType
	switch {
	case recreates && !d.Spec.Paused && soleActive(fresh, old) == nil: // those that a rolling update has left go first
		return p.recreate(d, fresh, old, oldPods)
	case d.Spec.Paused || resized(d, withFresh(fresh, old)):
		p.scale(d, fresh, old, resize(d, fresh, old))
	case recreates:
		return p.recreate(d, fresh, old, oldPods)
	default:
		return p.roll(d, fresh, old)
	}
	return nil
}

func (p *deploymentPlan) roll(d *appsv1.Deployment, fresh *appsv1.ReplicaSet, old []*appsv1.ReplicaSet) error {
	if fresh != nil {
		p.scale(d, fresh, old, rollingSizes(d, fresh, old))
		return nil
	}
	fresh, err := replicaSetFor(d)
	if err != nil {
		return err
	}
	p.make(d, fresh, old, rollingSizes(d, fresh, old)[fresh.Name])
	return nil
}

// recreate lets the old pods end before the first new one starts.
func (p *deploymentPlan) recreate(d *appsv1.Deployment, fresh *appsv1.ReplicaSet, old []*appsv1.ReplicaSet, oldPods int) error {
	next := sizes{}
	for _, rs := range old {
		next[rs.Name] = 0
	}
	if spec, _ := total(old); spec > 0 || oldPods > 0 {
		p.scale(d, fresh, old, next)
		return nil
	}
	if fresh != nil {
		next[fresh.Name] = wanted(d)
		p.scale(d, fresh, old, next)
		return nil
	}
	fresh, err := replicaSetFor(d)
	if err != nil {
		return err
	}
	p.make(d, fresh, old, wanted(d))
	return nil
}

// make plans a new ReplicaSet of the next revision.
func (p *deploymentPlan) make(d *appsv1.Deployment, fresh *appsv1.ReplicaSet, old []*appsv1.ReplicaSet, replicas int32) {
	p.revision = latest(old) + 1
	fresh.Spec.Replicas = ptr.To(replicas)
	fresh.Annotations = inherited(d, fresh, p.revision)
	p.create = fresh
}

// scale plans the sizes, and that the new ReplicaSet is the latest revision with the Deployment's annotations.
func (p *deploymentPlan) scale(d *appsv1.Deployment, fresh *appsv1.ReplicaSet, old []*appsv1.ReplicaSet, next sizes) {
	for _, rs := range withFresh(fresh, old) {
		u := replicaSetUpdate{set: rs, replicas: size(rs), annotations: rs.Annotations, minReady: rs.Spec.MinReadySeconds}
		if n, ok := next[rs.Name]; ok {
			u.replicas = n
		}
		if rs == fresh && !d.Spec.Paused {
			p.revision = max(revision(rs), latest(old)+1)
			u.annotations, u.minReady = inherited(d, rs, p.revision), d.Spec.MinReadySeconds
		} else if _, ok := next[rs.Name]; ok && (size(rs) > 0 || u.replicas > 0) {
			u.annotations = maps.Clone(rs.Annotations)
			if u.annotations == nil {
				u.annotations = make(map[string]string, 2)
			}
			maps.Copy(u.annotations, replicasAnnotations(d))
		}
		if u.needed() {
			p.update = append(p.update, u)
		}
	}
}

func latest(sets []*appsv1.ReplicaSet) int64 {
	var rev int64
	for _, rs := range sets {
		rev = max(rev, revision(rs))
	}
	return rev
}

// beyondHistory returns the empty old ReplicaSets that are more than may be kept for rolling back.
func beyondHistory(d *appsv1.Deployment, old []*appsv1.ReplicaSet) []*appsv1.ReplicaSet {
	if d.Spec.RevisionHistoryLimit == nil {
		return nil
	}
	empty := slices.DeleteFunc(slices.Clone(old), func(rs *appsv1.ReplicaSet) bool {
		return rs.DeletionTimestamp != nil || size(rs) != 0 || rs.Status.Replicas != 0 || rs.Generation > rs.Status.ObservedGeneration
	})
	excess := len(empty) - int(*d.Spec.RevisionHistoryLimit)
	if excess <= 0 {
		return nil
	}
	slices.SortFunc(empty, func(a, b *appsv1.ReplicaSet) int {
		return cmp.Or(cmp.Compare(revision(a), revision(b)), a.CreationTimestamp.Compare(b.CreationTimestamp.Time), cmp.Compare(a.Name, b.Name))
	})
	return empty[:excess]
}
